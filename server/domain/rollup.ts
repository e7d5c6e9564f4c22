import type { EpochMs } from "./terms";

/** Widths of the rollups in milliseconds. */
export const ROLLUP_WIDTHS = { minute: 60_000, hour: 3_600_000 } as const;

/** The rollups of one device in one bucket: element i of every array belongs to metrics[i]; metrics ascend. */
export interface Rollup {
  /** Start of the bucket. */
  readonly start: EpochMs;
  readonly metrics: number[];
  readonly counts: number[];
  /** The sum; of a bucket that {@link isLargeSum} tells of, times {@link LARGE_SUM}. */
  readonly sums: number[];
  readonly mins: number[];
  readonly maxs: number[];
  readonly firsts: number[];
  /** Event time of the first reading, in milliseconds into the bucket. */
  readonly firstAt: number[];
  readonly lasts: number[];
  readonly lastAt: number[];
}

/** Factor that a sum is kept times where readings could add up past a double; a power of two, so that no digit of it changes. */
export const LARGE_SUM = 2 ** -64;

/**
 * Tells whether a bucket's sum is kept times {@link LARGE_SUM}. Count and extremes decide it, never the sum on its way: so a rollup is
 * the same in whatever order and parts its readings came.
 */
export function isLargeSum(count: number, min: number, max: number): boolean {
  return Math.max(Math.abs(min), Math.abs(max)) > Number.MAX_VALUE / 2 / count;
}

/** Computes the mean of a bucket from its rollup; never beyond its extremes, however the sum was rounded. */
export function meanOf(count: number, sum: number, min: number, max: number): number {
  return isLargeSum(count, min, max) ? meanOfParts(count, 0, sum, min, max) : meanOfParts(count, sum, 0, min, max);
}

/** Computes the same where part of the sum is kept as it is and part times {@link LARGE_SUM}. */
export function meanOfParts(count: number, sum: number, large: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, sum / count + large / count / LARGE_SUM));
}

/** Returns the start of the bucket of `widthMs` that `time` is in. */
export function bucketStart(time: EpochMs, widthMs: number): EpochMs {
  return time - (time % widthMs);
}

export function emptyRollup(start: EpochMs): Rollup {
  return {
    start,
    metrics: [],
    counts: [],
    sums: [],
    mins: [],
    maxs: [],
    firsts: [],
    firstAt: [],
    lasts: [],
    lastAt: [],
  };
}

/**
 * Adds one reading, `at` milliseconds into the bucket. A reading must come once only: nothing here knows repeats.
 * @param hint where in `metrics` the metric is likely to be.
 */
export function addReading(rollup: Rollup, metric: number, value: number, at: number, hint = 0): void {
  const i = placeOf(rollup, metric, hint);
  if (rollup.counts[i] === 0) {
    rollup.counts[i] = 1;
    rollup.mins[i] = rollup.maxs[i] = rollup.firsts[i] = rollup.lasts[i] = value;
    rollup.sums[i] = isLarge(rollup, i) ? value * LARGE_SUM : value;
    rollup.firstAt[i] = rollup.lastAt[i] = at;
    return;
  }
  const wasLarge = isLarge(rollup, i);
  rollup.counts[i]! += 1;
  if (value < rollup.mins[i]!) rollup.mins[i] = value;
  if (value > rollup.maxs[i]!) rollup.maxs[i] = value;
  addSum(rollup, i, wasLarge, value, false);
  if (at < rollup.firstAt[i]!) {
    rollup.firstAt[i] = at;
    rollup.firsts[i] = value;
  }
  if (at > rollup.lastAt[i]!) {
    rollup.lastAt[i] = at;
    rollup.lasts[i] = value;
  }
}

/** Adds all of `from` to `into`, whose bucket holds from's. The two must have no reading in common. */
export function mergeRollup(into: Rollup, from: Rollup): void {
  const shift = from.start - into.start;
  for (let j = 0; j < from.metrics.length; j++) {
    const i = placeOf(into, from.metrics[j]!, j);
    const firstAt = from.firstAt[j]! + shift;
    const lastAt = from.lastAt[j]! + shift;
    const fresh = into.counts[i] === 0;
    const wasLarge = isLarge(into, i);
    into.counts[i]! += from.counts[j]!;
    if (fresh || from.mins[j]! < into.mins[i]!) into.mins[i] = from.mins[j]!;
    if (fresh || from.maxs[j]! > into.maxs[i]!) into.maxs[i] = from.maxs[j]!;
    addSum(into, i, wasLarge, from.sums[j]!, isLarge(from, j));
    if (fresh || firstAt < into.firstAt[i]!) {
      into.firstAt[i] = firstAt;
      into.firsts[i] = from.firsts[j]!;
    }
    if (fresh || lastAt > into.lastAt[i]!) {
      into.lastAt[i] = lastAt;
      into.lasts[i] = from.lasts[j]!;
    }
  }
}

/** Finds the metric's place, or makes one with count 0, so that metrics ascend. */
function placeOf(rollup: Rollup, metric: number, hint: number): number {
  const { metrics } = rollup;
  if (metrics[hint] === metric) return hint;
  let low = 0;
  let high = metrics.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (metrics[middle]! < metric) low = middle + 1;
    else high = middle;
  }
  if (metrics[low] === metric) return low;
  const isLast = low === metrics.length;
  for (const column of [metrics, ...columnsOf(rollup)]) {
    if (isLast) column.push(0);
    else column.splice(low, 0, 0);
  }
  metrics[low] = metric;
  return low;
}

function columnsOf(rollup: Rollup): number[][] {
  const { counts, sums, mins, maxs, firsts, firstAt, lasts, lastAt } = rollup;
  return [counts, sums, mins, maxs, firsts, firstAt, lasts, lastAt];
}

/** Adds to the sum of a place whose count and extremes are the new ones already. */
function addSum(rollup: Rollup, i: number, wasLarge: boolean, sum: number, isSumLarge: boolean): void {
  const large = isLarge(rollup, i);
  const before = rollup.sums[i]!;
  rollup.sums[i] = (large && !wasLarge ? before * LARGE_SUM : before) + (large && !isSumLarge ? sum * LARGE_SUM : sum);
}

function isLarge({ counts, mins, maxs }: Rollup, i: number): boolean {
  return isLargeSum(counts[i]!, mins[i]!, maxs[i]!);
}
