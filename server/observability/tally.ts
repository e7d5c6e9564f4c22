import type { EpochMs } from "@/server/domain/terms";

/** Width of one row of pipeline_rate in milliseconds. */
export const RATE_BUCKET_MS = 5000;

/** The content of one bucket. */
export interface TallyBucket<Counts> {
  readonly bucket: EpochMs;
  readonly counts: Counts;
}

export interface TallyDeps<Counts> {
  readonly empty: () => Counts;
  readonly write: (buckets: readonly TallyBucket<Counts>[]) => Promise<void>;
  readonly now: () => EpochMs;
  /** Called when writing failed; it is tried again with the next bucket. */
  readonly onError: (error: unknown) => void;
}

/** Counts that are kept in memory for each 5 seconds and written a moment after those have passed. */
export interface Tally<Counts> {
  /** Returns the counts of the present bucket. */
  current(): Counts;
  /** Writes what is left. */
  stop(): Promise<void>;
}

/** The most buckets that wait to be written; beyond it the oldest is given up: counts are never worth the memory. */
const MOST_WAITING = 24;

/** Makes a tally. Best effort: nothing waits for it, and a crash costs what was not written yet. */
export function createTally<Counts>({ empty, write, now, onError }: TallyDeps<Counts>): Tally<Counts> {
  const buckets = new Map<EpochMs, Counts>();
  const bucketOf = (time: EpochMs) => Math.floor(time / RATE_BUCKET_MS) * RATE_BUCKET_MS;
  let writing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  function flush(before: EpochMs): Promise<void> {
    return (writing = writing.then(async () => {
      const ended = [...buckets].filter(([bucket]) => bucket < before);
      if (ended.length === 0) return;
      for (const [bucket] of ended) buckets.delete(bucket);
      try {
        await write(ended.map(([bucket, counts]) => ({ bucket, counts })));
      } catch (error) {
        onError(error);
        for (const [bucket, counts] of ended.slice(-MOST_WAITING))
          if (!buckets.has(bucket)) buckets.set(bucket, counts);
      }
    }));
  }

  function arm(): void {
    const time = now();
    timer = setTimeout(
      () => {
        void flush(bucketOf(now()));
        arm();
      },
      bucketOf(time) + RATE_BUCKET_MS - time + 20,
    );
    timer.unref();
  }
  arm();

  return {
    current() {
      const bucket = bucketOf(now());
      let counts = buckets.get(bucket);
      if (counts === undefined) buckets.set(bucket, (counts = empty()));
      return counts;
    },
    async stop() {
      clearTimeout(timer);
      await flush(Number.POSITIVE_INFINITY);
    },
  };
}
