import { z } from "zod";
import { STAGES } from "@/server/domain/stages";
import { instant } from "./common";

const counts = (what: string) => z.record(z.string(), z.int()).describe(what);

const percentiles = {
  p50Ms: z.number(),
  p99Ms: z.number(),
} as const;

const stageFigures = z
  .object({
    runs: z.int().describe("Batches; messages for wait, frames for publish"),
    messages: z.int(),
    bytes: z.int(),
    ...percentiles,
    maxMs: z.number(),
    messageMs: z.number().describe("How long a message was in this stage with its batch, on average"),
  })
  .meta({ id: "StageFigures" });

/** Counts and timings of what went through the pipeline between two moments. */
const stagesStretch = z
  .object({
    time: z.number().describe("Epoch milliseconds of the start"),
    ms: z.int().describe("How much of it has passed"),
    accepted: z.int().describe("Messages the telemetry route took; best effort"),
    rejected: counts("Messages the telemetry route refused, by reason; each was named to its sender; best effort"),
    requests: counts("Requests the telemetry route refused whole, by problem; best effort"),
    messages: z.int().describe("Messages handled, exact"),
    readings: z.int(),
    duplicates: z.int().describe("Readings that were there already with the same value"),
    conflicts: z
      .int()
      .describe(
        "Readings where another value was there already at the same device, metric and millisecond: the first stays",
      ),
    late: z.int().describe("New readings from before the latest event time their device had when they came"),
    deadLetters: counts("Dead letters by reason, exact"),
    total: z.object(percentiles).nullable().describe("Ingest to commit; null when nothing was handled"),
    stages: z.partialRecord(z.enum(STAGES), stageFigures).describe("Only those that ran; best effort"),
  })
  .meta({ id: "StagesStretch" });

export const stagesQuery = z.object({
  minutes: z.coerce.number().int().min(1).max(1440).default(15).describe("How far back"),
});

/** The answer about what each stage of the pipeline did lately. */
export const stagesAnswer = z
  .object({
    time: instant,
    from: z.number().describe("Epoch milliseconds"),
    to: z.number(),
    bucketMs: z.int(),
    recent: stagesStretch.describe("The last 15 seconds as one, for rates as of now"),
    minute: stagesStretch.describe("The last minute as one, or what has passed since the beginning"),
    buckets: z
      .array(stagesStretch)
      .describe("At most 300, oldest first, without a gap from the first that anything is known of"),
  })
  .meta({ id: "Stages" });

export type StageFigures = z.infer<typeof stageFigures>;
export type StagesStretch = z.infer<typeof stagesStretch>;
export type StagesAnswer = z.infer<typeof stagesAnswer>;
