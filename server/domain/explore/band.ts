import type { EpochMs } from "../terms";
import type { StepSeries } from "./series";

/** A step that has a band, and those of it: the quantiles of the series' means. */
export interface BandStep {
  readonly time: EpochMs;
  /** Series with readings in it. */
  readonly series: number;
  readonly p10: number;
  readonly median: number;
  readonly p90: number;
}

/** A series that stands apart from the others. */
export interface Outlier {
  readonly id: string;
  /** Where it was when it was farthest. */
  readonly side: "above" | "below";
  /** The steps in which it was an outlier, of those it could be one in. */
  readonly steps: number;
  readonly of: number;
  readonly farthest: { readonly time: EpochMs; readonly mean: number };
}

/** With fewer series in a step nothing is said to stand apart in it. */
const FEWEST_SERIES = 10;
/** An outlier is one in this share of its steps, and in so many at least. */
const SHARE = 0.1;
const FEWEST_STEPS = 2;
/** Most outliers that are named. */
const MOST_NAMED = 12;

type Named = readonly (readonly [id: string, series: Pick<StepSeries, "points">])[];

/** How series lie together at each step. */
export function bandOf(series: Named): BandStep[] {
  const means = new Map<EpochMs, number[]>();
  for (const [, { points }] of series)
    for (const { time, mean } of points) {
      const own = means.get(time);
      if (own) own.push(mean);
      else means.set(time, [mean]);
    }
  return [...means]
    .sort(([a], [b]) => a - b)
    .map(([time, own]) => {
      const sorted = Float64Array.from(own).sort();
      const at = (share: number) => quantile(sorted, share);
      return { time, series: own.length, p10: at(0.1), median: at(0.5), p90: at(0.9) };
    });
}

/**
 * Finds the series that stand apart: their mean is beyond the band by more than the band's own width, in a tenth of their steps and in two at least.
 * Up to a tenth of all series on either side don't move the band, however far away they are.
 */
export function outliersOf(series: Named, band: readonly BandStep[]): Outlier[] {
  const steps = new Map(band.filter((step) => step.series >= FEWEST_SERIES).map((step) => [step.time, step]));
  const found: Outlier[] = [];
  for (const [id, { points }] of series) {
    let [of, beyond, most] = [0, 0, 0];
    let farthest: (Outlier["farthest"] & { readonly side: Outlier["side"] }) | null = null;
    for (const { time, mean } of points) {
      const step = steps.get(time);
      if (step === undefined) continue;
      of++;
      const side = mean > step.p90 ? "above" : "below";
      const distance = side === "above" ? mean - step.p90 : step.p10 - mean;
      // Where all are the same but for the last digits of a double, nothing is far away.
      const dust = 1e-9 * Math.max(Math.abs(step.p10), Math.abs(step.p90));
      if (!(distance > Math.max(step.p90 - step.p10, dust))) continue;
      beyond++;
      if (farthest !== null && distance <= most) continue;
      most = distance;
      farthest = { time, mean, side };
    }
    if (farthest === null || beyond < Math.max(FEWEST_STEPS, SHARE * of)) continue;
    const { side, ...where } = farthest;
    found.push({ id, side, steps: beyond, of, farthest: where });
  }
  return found.sort((a, b) => b.steps / b.of - a.steps / a.of || (a.id < b.id ? -1 : 1)).slice(0, MOST_NAMED);
}

/** A quantile of ascending values, between two neighbours in proportion. */
function quantile(sorted: Float64Array, share: number): number {
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  const part = place - Math.floor(place);
  return low * (1 - part) + high * part;
}
