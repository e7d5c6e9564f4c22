import type { EpochMs } from "@/server/domain/terms";
import { mayBeIngestTime } from "@/server/domain/time";

/** A partition with records the group hasn't handled. */
interface Waiting {
  readonly partition: number;
  /** Offset of the first one. */
  readonly next: number;
}

/** Finds out since when records wait; a partition where it could not be found in time is left out. */
export type WaitingSince = (
  /** Tells each partition's first offset from a time on, or its end. */
  firstSince: (time: EpochMs) => Promise<ReadonlyMap<number, number>>,
  topic: string,
  group: string,
  waiting: readonly Waiting[],
) => Promise<Map<number, EpochMs>>;

/** Bounds on the time of the record at `next`: from `low` on, before `high`. */
interface Range {
  readonly next: number;
  low: EpochMs;
  high: EpochMs;
}

const SMALLEST_STEP_MS = 50;
const SHARE_OF_AGE = 0.05;
const MOST_QUESTIONS = 40;
const MOST_MS = 1000;

/**
 * Kafka tells the first offset from a time on, but not the time of an offset, so it is searched for: back from now in
 * growing steps, then by halves, to 5 % of the age or 50 ms, the later bound told. A question answers for all partitions.
 * What was found is where the next search starts.
 */
export function createWaitingSince(clock: () => EpochMs = Date.now): WaitingSince {
  const remembered = new Map<string, Map<number, Range>>();

  return async (firstSince, topic, group, waiting) => {
    const key = JSON.stringify([topic, group]);
    const now = clock();
    const before = remembered.get(key);
    const ranges = new Map<number, Range>();
    for (const { partition, next } of waiting) {
      const known = before?.get(partition);
      // Times follow offsets: what comes later in the log isn't older.
      const low = known !== undefined && known.next <= next ? known.low : -Infinity;
      const high = known !== undefined && known.next === next ? known.high : Infinity;
      ranges.set(partition, { next, low, high });
    }
    remembered.set(key, ranges);

    const deadline = performance.now() + MOST_MS;
    // A broker that can't read a batch can't tell its time either.
    const untold = new Set<number>();
    let step = SMALLEST_STEP_MS;
    for (let question = 0; question < MOST_QUESTIONS && performance.now() < deadline; question++) {
      const open = [...ranges].flatMap(([partition, range]) =>
        untold.has(partition) || isNarrow(range, now) ? [] : [range],
      );
      const widest = open.sort((a, b) => b.high - b.low - (a.high - a.low))[0];
      if (widest === undefined) break;
      const time = nextTime(widest, now, step);
      if (widest.low === -Infinity || widest.high === Infinity) step *= 2;
      const firsts = await firstSince(time);
      for (const [partition, range] of ranges) {
        const offset = firsts.get(partition);
        if (offset === undefined) {
          untold.add(partition);
          continue;
        }
        if (offset <= range.next) range.low = Math.max(range.low, time);
        else range.high = Math.min(range.high, time);
      }
    }
    return new Map(
      [...ranges]
        // Where producers stamp their records with something else, nobody knows since when they wait.
        .filter(([, range]) => isNarrow(range, now) && mayBeIngestTime(range.low, now))
        .map(([partition, { low, high }]): [number, EpochMs] => [partition, Math.max(low, Math.min(high - 1, now))]),
    );
  };
}

function isNarrow({ low, high }: Range, now: EpochMs): boolean {
  return Number.isFinite(low) && high - low <= Math.max(SMALLEST_STEP_MS, SHARE_OF_AGE * (now - low));
}

/** Kafka's clock may be ahead of ours, so the search goes on beyond now if it must. */
function nextTime({ low, high }: Range, now: EpochMs, step: number): EpochMs {
  if (low === -Infinity) return Math.max(0, Math.min(high, now) - step);
  if (high === Infinity) return Math.max(low, now) + step;
  return Math.floor((low + high) / 2);
}
