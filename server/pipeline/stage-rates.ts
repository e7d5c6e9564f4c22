import type { Pool, PoolClient } from "pg";
import { histogramClass } from "@/server/domain/histogram";
import type { Stage } from "@/server/domain/stages";
import type { EpochMs } from "@/server/domain/terms";
import { removeSome } from "@/server/postgres/remove-some";
import type { TallyBucket } from "@/server/observability/tally";

/** Ticks per millisecond in histograms of durations: fine enough that a stage of microseconds still has a shape. */
export const TICKS_A_MS = 16;
/** The number of classes of such a histogram; the last one, from 2^30 ticks (18 hours) on, has no upper end. */
export const DURATION_CLASSES = 32;

/** The sums of a stage's runs over some time. */
interface StageSums {
  /** Batches; messages for `wait`, frames for `publish`. */
  runs: number;
  messages: number;
  bytes: number;
  runMs: number;
  /** Time of the runs, counted once for each of their messages. */
  messageMs: number;
  maxMs: number;
  readonly durations: number[];
}

export type StageCounts = Map<Stage, StageSums>;

/** One run of a stage: how long it took, and of how much. */
export interface StageRun {
  /** The time of the run, in milliseconds. */
  readonly ms: number;
  /** Several runs that took the same time, each its part of these messages and bytes; left out: it is one. */
  readonly runs?: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Adds a run, or several alike. */
export function addRun(counts: StageCounts, stage: Stage, { ms, runs = 1, messages, bytes }: StageRun): void {
  let sums = counts.get(stage);
  if (!sums) {
    const durations = new Array<number>(DURATION_CLASSES).fill(0);
    counts.set(stage, (sums = { runs: 0, messages: 0, bytes: 0, runMs: 0, messageMs: 0, maxMs: 0, durations }));
  }
  sums.runs += runs;
  sums.messages += messages;
  sums.bytes += bytes;
  sums.runMs += ms * runs;
  sums.messageMs += ms * messages;
  sums.maxMs = Math.max(sums.maxMs, ms);
  sums.durations[histogramClass(ms * TICKS_A_MS, DURATION_CLASSES)]! += runs;
}

/** Writes what a worker's stages did. Writing a bucket again (because the outcome wasn't known) changes nothing. */
export async function writeStageRates(
  pool: Pool,
  worker: string,
  buckets: readonly TallyBucket<StageCounts>[],
): Promise<void> {
  const rows = buckets.flatMap(({ bucket, counts }) =>
    [...counts].map(([stage, { runMs, messageMs, maxMs, ...sums }]) => {
      return { bucket: new Date(bucket), stage, ...sums, run_ms: runMs, message_ms: messageMs, max_ms: maxMs };
    }),
  );
  await pool.query(
    `INSERT INTO pipeline_stage (bucket, worker, stage, runs, messages, bytes, run_ms, message_ms, max_ms, durations)
     SELECT bucket, $1, stage, runs, messages, bytes, run_ms, message_ms, max_ms, durations
     FROM json_to_recordset($2) AS r (bucket timestamptz, stage text, runs integer, messages bigint, bytes bigint,
       run_ms double precision, message_ms double precision, max_ms double precision, durations integer[])
     ON CONFLICT DO NOTHING`,
    [worker, JSON.stringify(rows)],
  );
}

/** Removes stage rates older than `before`, at most `limit` rows; returns how many. */
export function removeStageRatesBefore(tx: PoolClient, before: EpochMs, limit: number): Promise<number> {
  return removeSome(tx, "pipeline_stage", before, limit);
}
