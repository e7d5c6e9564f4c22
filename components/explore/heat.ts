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
export interface Cells {
  readonly start: number;
  readonly end: number;
  readonly shade: number;
}

/** A strip as cells; steps without a reading are in none. */
export function cellsOf(means: Means, scale: HeatScale): Cells[] {
  const cells: { start: number; end: number; shade: number }[] = [];
  means.forEach((mean, i) => {
    if (mean === null) return;
    const shade = shadeOf(mean, scale);
    const before = cells.at(-1);
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
