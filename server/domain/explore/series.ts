import type { EpochMs } from "../terms";

/** One step of a series. */
export interface Step {
  /** Its start. */
  readonly time: EpochMs;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly last: number;
}

/** A series: its steps that have readings, by time, and the newest reading. */
export interface StepSeries {
  readonly points: readonly Step[];
  readonly last: number;
  readonly lastAt: EpochMs;
}

/** What a series was over the whole range; null where there is no reading. */
export interface Figures {
  readonly count: number;
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  readonly last: number | null;
  readonly lastAt: EpochMs | null;
}

/** What a series was over its range, each reading counting the same. */
export function figuresOf(series: StepSeries | undefined): Figures {
  if (series === undefined) return { count: 0, min: null, mean: null, max: null, last: null, lastAt: null };
  const { points, last, lastAt } = series;
  let [count, min, max] = [0, Infinity, -Infinity];
  for (const point of points) {
    count += point.count;
    min = Math.min(min, point.min);
    max = Math.max(max, point.max);
  }
  // Weighed before it is added up: no sum leaves the doubles.
  const mean = points.reduce((sum, point) => sum + point.mean * (point.count / count), 0);
  return { count, min, mean: Math.min(max, Math.max(min, mean)), max, last, lastAt };
}

/** A group of devices as one series, each of them counting the same however often it sends; and what it was over the range. */
export function groupOf(devices: readonly StepSeries[]): { readonly points: Step[]; readonly figures: Figures } {
  const steps = new Map<EpochMs, Step[]>();
  for (const { points } of devices)
    for (const point of points) {
      const own = steps.get(point.time);
      if (own) own.push(point);
      else steps.set(point.time, [point]);
    }
  const points = [...steps]
    .sort(([a], [b]) => a - b)
    .map(([time, own]) => {
      const mean = meanOfAll(own.map((point) => point.mean));
      return { time, ...totalsOf(own), mean, last: mean };
    });
  if (devices.length === 0) return { points, figures: figuresOf(undefined) };
  const own = devices.map((series) => figuresOf(series));
  const figures = {
    ...totalsOf(own as { count: number; min: number; max: number }[]),
    mean: meanOfAll(own.map(({ mean }) => mean!)),
    last: meanOfAll(own.map(({ last }) => last!)),
    lastAt: devices.reduce((latest, { lastAt }) => Math.max(latest, lastAt), -Infinity),
  };
  return { points, figures };
}

function totalsOf(parts: readonly { readonly count: number; readonly min: number; readonly max: number }[]) {
  let [count, min, max] = [0, Infinity, -Infinity];
  for (const part of parts) {
    count += part.count;
    min = Math.min(min, part.min);
    max = Math.max(max, part.max);
  }
  return { count, min, max };
}

function meanOfAll(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0);
}
