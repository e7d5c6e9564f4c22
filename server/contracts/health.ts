import { z } from "zod";
import { PERMISSIONS } from "@/server/domain/access";
import { instant } from "./common";
import { job } from "./jobs";

const probeStatus = z.enum(["pass", "warn", "fail", "unknown"]).meta({ id: "ProbeStatus" });

/** One timed test of one dependency. */
const probeResult = z
  .object({
    name: z.string().describe("Stable key, e.g. postgres.reachable"),
    title: z.string(),
    group: z.string().describe("The dependency it belongs to, e.g. PostgreSQL (embedded)"),
    status: probeStatus,
    since: instant.describe("When it took this status, as far as this process saw"),
    checkedAt: instant.nullable(),
    latencyMs: z.number().nullable(),
    summary: z.string().describe("What was found, in one sentence"),
    cause: z.string().nullable().describe("Why it isn't passing"),
    fix: z.string().nullable().describe("What to do, exactly"),
    commands: z.array(z.string()).describe("Parts of fix that can be copied and run or set as they are"),
  })
  .meta({ id: "Probe" });

/** A job beside the stream, as health sees it. */
const jobHealth = z
  .object({
    name: z.string(),
    title: z.string(),
    state: job.shape.state,
    cause: z.string().nullable().describe("Why it is retrying, failed or overdue"),
    fix: z.string().nullable().describe("What to do, exactly"),
    commands: z.array(z.string()).describe("Parts of fix that can be copied and run as they are"),
    lastRun: z
      .object({ outcome: z.enum(["done", "stopped", "failed"]), endedAt: instant })
      .nullable()
      .describe("The latest run that ended; null: none has"),
    nextRun: instant.nullable().describe("Null: it is paused, at work, or runs only when asked for"),
  })
  .meta({ id: "JobHealth" });

export const healthAnswer = z
  .object({
    status: probeStatus.describe("The worst of all probes"),
    verdict: z.string().describe("One sentence: what, since when, what it means for the data"),
    parts: z
      .object({
        what: z.string(),
        since: instant.nullable().describe("Null when that isn't known"),
        means: z.string().describe("For the data"),
      })
      .describe("The verdict in its parts"),
    time: instant,
    version: z.string().nullable().describe("Of Fieldwatch; null: left out"),
    leftOut: z
      .object({
        what: z.array(z.enum(["hosts", "versions", "files", "settings"])),
        permission: z.enum(PERMISSIONS).describe("It shows them, held at all sites"),
      })
      .nullable()
      .describe("What this answer leaves out for want of a permission: in texts … stands in its place; null: nothing"),
    engines: z
      .object({ eventLog: z.string(), documents: z.string(), database: z.string() })
      .describe("Which engine carries what"),
    probes: z.array(probeResult),
    jobs: z.array(jobHealth).nullable().describe("Null while they can't be read"),
  })
  .meta({ id: "Health" });

export type ProbeStatus = z.infer<typeof probeStatus>;
export type ProbeResult = z.infer<typeof probeResult>;
export type JobHealth = z.infer<typeof jobHealth>;
export type HealthAnswer = z.infer<typeof healthAnswer>;
