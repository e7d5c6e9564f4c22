import type { ExploreAnswer } from "@/server/contracts/explore";
import { shareOf } from "../ui/value-scale";

/** The values that are palest and strongest in a heat strip; those beyond are as pale or as strong. */
export interface HeatScale {
  readonly min: number;
  readonly max: number;
}

/** Shades that a heat strip has: more can't be told apart. */
export const SHADES = 7;
/** Of the palest and of the strongest shade: what has no reading isn't drawn at all. */
const OPACITY = { least: 0.12, most: 1 } as const;
/** Shares of all values that are as pale, or as strong, as the ends: one that stands apart doesn't make all others alike. */
const BEYOND = 0.02;

type Means = readonly (number | null)[];

/** The scale that the strips of one unit share. */
export function heatScale(strips: readonly Means[]): HeatScale {
  const values = Float64Array.from(strips.flatMap((means) => means.filter((mean) => mean !== null))).sort();
  if (values.length === 0) return { min: 0, max: 1 };
  const at = (share: number) => values[Math.round(share * (values.length - 1))]!;
  const [min, max] = [at(BEYOND), at(1 - BEYOND)];
  return min < max ? { min, max } : { min: values[0]!, max: values.at(-1)! };
}

/** Whether series have readings beyond either end of their scale, which are as pale or as strong as that end. */
export function beyondOf(
  { min, max }: HeatScale,
  series: readonly Pick<ExploreAnswer["series"][number], "figures">[],
): { readonly below: boolean; readonly above: boolean } {
  return {
    below: series.some(({ figures }) => figures.min !== null && figures.min < min),
    above: series.some(({ figures }) => figures.max !== null && figures.max > max),
  };
}

/** The shade of a value, from 0 to SHADES - 1. Where all are alike, they are in the middle. */
export function shadeOf(value: number, scale: HeatScale): number {
  if (scale.min === scale.max) return (SHADES - 1) / 2;
  return Math.min(SHADES - 1, Math.max(0, Math.floor(shareOf(value, scale) * SHADES)));
}

/** The opacity that a shade is drawn with. */
export function opacityOf(shade: number): number {
  return OPACITY.least + (shade / (SHADES - 1)) * (OPACITY.most - OPACITY.least);
}

/** Steps side by side that have one shade, as places from the strip's first step. */
interface Cells {
  readonly start: number;
  readonly end: number;
  readonly shade: number;
}

/**
 * For how many steps a value holds until the next one: none where each step has readings; more where devices send more seldom
 * than that, which is no gap. Longer distances are.
 */
export function holdOf(strips: readonly Means[]): number {
  const distances: number[] = [];
  for (const means of strips) {
    let before = -1;
    means.forEach((mean, i) => {
      if (mean === null) return;
      if (before >= 0) distances.push(i - before);
      before = i;
    });
  }
  const median = distances.sort((a, b) => a - b)[Math.floor(distances.length / 2)] ?? 1;
  return median === 1 ? 0 : Math.floor(median * 2.5) - 1;
}

/** The value that a strip has at a step, or that holds there; null in a gap. @param hold see {@link holdOf} */
export function valueAt(means: Means, step: number, hold: number): number | null {
  for (let i = step; i >= Math.max(0, step - hold); i--) if ((means[i] ?? null) !== null) return means[i]!;
  return null;
}

/** A strip as cells; gaps are in none. @param hold see {@link holdOf} */
export function cellsOf(means: Means, scale: HeatScale, hold: number): Cells[] {
  const cells: { start: number; end: number; shade: number }[] = [];
  let last = -1;
  means.forEach((mean, i) => {
    if (mean === null) return;
    const shade = shadeOf(mean, scale);
    const before = cells.at(-1);
    if (before && i - last <= hold + 1) before.end = i;
    last = i;
    if (before?.end === i && before.shade === shade) before.end = i + 1;
    else cells.push({ start: i, end: i + 1, shade });
  });
  return cells;
}

/** The place of a moment among the steps of an answer's strips; -1 outside. */
export function stepAt(answer: Pick<ExploreAnswer, "from" | "to" | "bucketMs">, time: number | null): number {
  if (time === null || time < Date.parse(answer.from) || time >= Date.parse(answer.to)) return -1;
  return Math.floor((time - Date.parse(answer.from)) / answer.bucketMs);
}

/** How the series that stand apart did so: "above the others in 34 of 160 steps". */
export function outlierWords({ side, steps, of }: ExploreAnswer["outliers"][number]): string {
  return `${side} the others in ${steps} of ${of} steps`;
}
