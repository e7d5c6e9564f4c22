/** One message of the comparison: values in the order of METRICS; booleans are 0 and 1. */
export interface Message {
  readonly device: number;
  readonly time: number;
  readonly values: readonly number[];
}

/** Metric ids, as an environmental sensor has them: five quantities and two flags. */
export const METRICS: readonly number[] = [1, 2, 3, 4, 5, 6, 7];
export const START_MS = Date.UTC(2026, 0, 5);
const INTERVAL_MS = 10_000;

/** `count` messages of `devices` devices in event-time order, one message a device each 10 seconds with some jitter; always the same. */
export function createFleet(count: number, devices: number): readonly Message[] {
  let state = 42;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, (_, i) => {
    const round = Math.floor(i / devices);
    const base = 20 + 5 * Math.sin(round / 1000);
    const values = METRICS.map((metric) => (metric > 5 ? Math.round(random()) : base * metric + random()));
    return { device: (i % devices) + 1, time: START_MS + round * INTERVAL_MS + Math.floor(random() * 1000), values };
  });
}

export interface Rollup {
  count: number;
  sum: number;
  min: number;
  max: number;
  first: number;
  firstAt: number;
  last: number;
  lastAt: number;
}

/** Returns what a batch, sorted by device and time, adds to the buckets of `width` ms: by device, bucket, then metric index. */
export function rollUp(
  batch: readonly Message[],
  width: number,
): { device: number; bucket: number; series: Rollup[] }[] {
  const buckets = new Map<string, { device: number; bucket: number; series: Rollup[] }>();
  for (const { device, time, values } of batch) {
    const bucket = time - (time % width);
    const key = `${device}/${bucket}`;
    const at = time - bucket;
    const found = buckets.get(key);
    if (!found) {
      const series = values.map((v) => ({
        count: 1,
        sum: v,
        min: v,
        max: v,
        first: v,
        firstAt: at,
        last: v,
        lastAt: at,
      }));
      buckets.set(key, { device, bucket, series });
      continue;
    }
    found.series.forEach((one, i) =>
      merge(one, {
        count: 1,
        sum: values[i]!,
        min: values[i]!,
        max: values[i]!,
        first: values[i]!,
        firstAt: at,
        last: values[i]!,
        lastAt: at,
      }),
    );
  }
  return [...buckets.values()];
}

/** Adds `more` to `into`. */
export function merge(into: Rollup, more: Rollup): void {
  into.count += more.count;
  into.sum += more.sum;
  into.min = Math.min(into.min, more.min);
  into.max = Math.max(into.max, more.max);
  if (more.firstAt < into.firstAt) [into.first, into.firstAt] = [more.first, more.firstAt];
  if (more.lastAt >= into.lastAt) [into.last, into.lastAt] = [more.last, more.lastAt];
}
