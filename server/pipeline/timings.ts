import type { Pool } from "pg";
import { addRun, type StageCounts, type StageRun, writeStageRates } from "./stage-rates";
import { createTally } from "@/server/observability/tally";
import type { Stage } from "@/server/domain/stages";
import type { EpochMs } from "@/server/domain/terms";
import type { SourceBatch } from "./batch";
import { eachIngestTime } from "./ingest-times";

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
  eachIngestTime(records, (ingestTime, messages, bytes) =>
    timings.add("wait", { ms: Math.max(0, processedTime - ingestTime), runs: messages, messages, bytes }),
  );
}

/** Bytes of the values of records that several stages have in hand, one after another. */
const counted = new WeakMap<SourceBatch["records"], number>();

function bytesOf({ records }: SourceBatch): number {
  let bytes = counted.get(records);
  if (bytes === undefined) {
    bytes = records.reduce((sum, { value }) => sum + value.byteLength, 0);
    counted.set(records, bytes);
  }
  return bytes;
}
