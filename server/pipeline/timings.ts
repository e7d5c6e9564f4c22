import type { Pool } from "pg";
import { addRun, type StageCounts, writeStageRates } from "./stage-rates";
import { createTally } from "@/server/observability/tally";
import type { Stage } from "@/server/domain/stages";
import type { EpochMs } from "@/server/domain/terms";
import type { SourceBatch } from "./batch";

/** One run of a stage: how long it took, and of how much. */
interface StageRun {
  readonly ms: number;
  readonly messages: number;
  readonly bytes: number;
}

/** Takes measurements of stages. Never throws, never waits. */
export interface Timings {
  add(stage: Stage, run: StageRun): void;
}

export interface TimingsDeps {
  readonly pool: Pool;
  /** Names this worker in its rows. */
  readonly worker: string;
  readonly now: () => EpochMs;
  readonly onError: (error: unknown) => void;
}

/** Creates timings that are kept in memory and written every 5 seconds, best effort. */
export function createTimings({ pool, worker, now, onError }: TimingsDeps): Timings & { stop(): Promise<void> } {
  const tally = createTally<StageCounts>({
    empty: () => new Map(),
    write: (buckets) => writeStageRates(pool, worker, buckets),
    now,
    onError,
  });
  return { add: (stage, run) => addRun(tally.current(), stage, run), stop: () => tally.stop() };
}

/** Wraps a stage so that its runs are timed; one that fails is not counted, as it will come again. */
export function timed<B extends SourceBatch, More extends unknown[], Result>(
  timings: Timings,
  stage: Stage,
  run: (batches: readonly B[], ...more: More) => Promise<Result>,
): (batches: readonly B[], ...more: More) => Promise<Result> {
  return async (batches, ...more) => {
    const start = performance.now();
    for (const { followed } of batches) followed?.begins(stage);
    const result = await run(batches, ...more);
    let messages = 0;
    let bytes = 0;
    for (const batch of batches) {
      batch.followed?.ends(stage);
      messages += batch.records.length;
      bytes += bytesOf(batch);
    }
    timings.add(stage, { ms: performance.now() - start, messages, bytes });
    return result;
  };
}

/** Makes a stage of one batch one of several, in turn. */
export function each<B, Result>(run: (batch: B) => Promise<Result>): (batches: readonly B[]) => Promise<Result[]> {
  return async (batches) => {
    const results: Result[] = [];
    for (const batch of batches) results.push(await run(batch));
    return results;
  };
}

/** Adds the time each message of a committed batch had waited in the log when its batch began. */
export function addWaits(timings: Timings, { records, processedTime }: SourceBatch): void {
  const run = { ms: 0, messages: 1, bytes: 0 };
  for (const { ingestTime, value } of records) {
    run.ms = Math.max(0, processedTime - ingestTime);
    run.bytes = value.byteLength;
    timings.add("wait", run);
  }
}

function bytesOf({ records }: SourceBatch): number {
  let bytes = 0;
  for (const { value } of records) bytes += value.byteLength;
  return bytes;
}
