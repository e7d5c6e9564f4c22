import { z } from "zod";
import { instant } from "./common";

/** Counts of what was handled in 5 seconds of processed time. */
const rateBucket = z
  .object({
    time: z.number().describe("Epoch milliseconds of the start"),
    messages: z.int(),
    readings: z.int(),
    duplicates: z.int().describe("Readings that were there already with the same value"),
    conflicts: z
      .int()
      .describe(
        "Readings where another value was there already at the same device, metric and millisecond: the first stays",
      ),
    deadLetters: z.int(),
    latencyP50Ms: z.number().nullable().describe("Ingest to commit; null when nothing was handled"),
    latencyP99Ms: z.number().nullable(),
  })
  .meta({ id: "RateBucket" });

const unreadableBatch = z.object({
  partition: z.int(),
  from: z.int().describe("Offset of its first message that is out of reach"),
  to: z.int().describe("Offset of its last message"),
  records: z.int().describe("Messages in it, by its header"),
  reason: z.enum(["unknownCodec", "wrongChecksum", "undecompressable", "tooLarge", "brokenRecords"]),
  cause: z.string().describe("Why it can't be read"),
});

const stoppingBatch = unreadableBatch
  .extend({ since: instant, fix: z.string() })
  .meta({ id: "StoppingBatch" })
  .describe("A batch in the log that can't be read; its partition waits before it");

export const skippedBatch = unreadableBatch
  .extend({ skippedAt: instant, skippedBy: z.string() })
  .meta({ id: "SkippedBatch" })
  .describe("A batch that a person skipped: its messages were never read");

export const skipBody = z.strictObject({
  from: z.int().min(0).describe("As the partition's unreadable batch tells it"),
  to: z.int().min(0).describe("As the partition's unreadable batch tells it"),
});

/** The pipeline as a whole: exact totals since the beginning, where it stands, how fast it goes. */
export const pipelineAnswer = z
  .object({
    time: instant,
    totals: z.object({
      messages: z.int(),
      readings: z.int(),
      duplicates: z.int().describe("Readings that were there already with the same value"),
      conflicts: z
        .int()
        .describe(
          "Readings where another value was there already at the same device, metric and millisecond: the first stays",
        ),
      deadLetters: z.int(),
      late: z.int().describe("New readings from before the latest event time their device had when they came"),
      skipped: z.int().describe("Offsets of the log that were never read: gone before, or in a batch somebody skipped"),
      rejected: z.int().describe("Messages the telemetry route refused, each named to its sender; best effort"),
      devices: z.int(),
    }),
    rates: z
      .object({
        messagesPerSecond: z.number(),
        readingsPerSecond: z.number(),
        latencyP50Ms: z.number().nullable(),
        latencyP99Ms: z.number().nullable(),
      })
      .describe("Over the last 10 complete seconds"),
    lag: z.int().nullable().describe("Messages waiting in the log; null when unknown"),
    lagSeconds: z
      .number()
      .nullable()
      .describe("Age of the oldest waiting message; 0 when none waits, null when unknown"),
    clearSeconds: z
      .number()
      .nullable()
      .describe(
        "Seconds until nothing waits at the present pace; 0 when none waits; null when it does not shrink or is unknown",
      ),
    incomingPerSecond: z
      .number()
      .nullable()
      .describe("Messages the log took per second, over up to 15 seconds; null until known"),
    workers: z.int().nullable().describe("Workers alive in the consumer group; null when unknown"),
    partitions: z.array(
      z.object({
        topic: z.string(),
        partition: z.int(),
        start: z.int(),
        end: z.int(),
        committed: z.int().nullable(),
        lag: z.int().nullable().describe("Messages waiting, those that are held among them"),
        held: z.int().describe("Of those, what can't be read yet: a transaction of a producer is open before it"),
        lagSeconds: z.number().nullable(),
        clearSeconds: z.number().nullable().describe("As of the whole"),
        owner: z
          .string()
          .nullable()
          .describe("The worker that reads it, by machine and process to administrators; null when none does"),
        unreadable: stoppingBatch.nullable().describe("What stops it; null when nothing does"),
        lastBreak: z
          .object({
            kind: z.enum(["recreated", "lostTail", "expired"]),
            time: z.number().describe("Epoch milliseconds"),
            offsets: z.int().nullable().describe("Messages it cost the log; null when unknown"),
          })
          .nullable()
          .describe(
            "What happened last to the log under the position: its topic was recreated, it lost messages that were handled already, or messages expired unread",
          ),
      }),
    ),
    skippedBatches: z.array(skippedBatch).describe("Skipped last, newest first, at most 10"),
    devices: z.object({ live: z.int(), stale: z.int(), silent: z.int(), new: z.int() }),
    history: z.array(rateBucket).describe("The last 15 minutes, oldest first, gaps left out"),
  })
  .meta({ id: "Pipeline" });

export type StoppingBatchView = z.infer<typeof stoppingBatch>;
export type SkippedBatchView = z.infer<typeof skippedBatch>;
export type SkipBody = z.infer<typeof skipBody>;
export type PipelineAnswer = z.infer<typeof pipelineAnswer>;
