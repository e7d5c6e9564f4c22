import { z } from "zod";
import { instant } from "./common";

export const jobRun = z
  .object({
    id: z.string(),
    trigger: z.enum(["schedule", "request"]),
    requestedBy: z.string().nullable().describe("Who asked for it; null when it was due"),
    state: z
      .enum(["waiting", "running", "stopping", "done", "stopped", "failed"])
      .describe("waiting: for a worker, or to be tried again; stopping: told to end, and about to"),
    done: z.int().describe("Things dealt with"),
    total: z.int().nullable().describe("Null when that isn't known"),
    attempt: z.int().describe("Failures in a row, without progress between"),
    retryAt: instant.nullable().describe("When it is tried again"),
    worker: z.string().nullable().describe("The worker that has it, or had it last"),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "JobRun" });

export const job = z
  .object({
    name: z.string(),
    title: z.string(),
    about: z.string(),
    counts: z
      .object({ one: z.string(), many: z.string() })
      .nullable()
      .describe(
        'What `done` and `total` of its runs count: "hour merged", "hours merged"; null while no worker has said it',
      ),
    everySeconds: z.number().nullable().describe("Time between two runs; null: it runs only when asked for, elsewhere"),
    state: z
      .enum(["running", "retrying", "failed", "overdue", "waiting", "paused", "scheduled", "idle"])
      .describe("overdue: no worker takes it; idle: it runs only when asked for"),
    cause: z.string().nullable().describe("Why it is retrying, failed or overdue"),
    fix: z.string().nullable().describe("What to do, exactly; what can be copied stands in backticks"),
    nextRun: instant.nullable(),
    unfinished: z.int().describe("Runs that wait or run"),
    current: jobRun.nullable().describe("The run that has not ended"),
    last: jobRun.nullable().describe("The latest run that ended"),
  })
  .meta({ id: "Job" });

export const jobsAnswer = z.object({ time: instant, items: z.array(job) }).meta({ id: "Jobs" });

export const jobRunsQuery = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) });

export const jobRunsAnswer = z
  .object({ items: z.array(jobRun).describe("Those that have not ended, then the newest first") })
  .meta({ id: "JobRuns" });

export type JobRun = z.infer<typeof jobRun>;
export type Job = z.infer<typeof job>;
export type JobsAnswer = z.infer<typeof jobsAnswer>;
export type JobRunsAnswer = z.infer<typeof jobRunsAnswer>;
