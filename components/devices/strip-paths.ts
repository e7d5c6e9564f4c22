import type { PlotPoint } from "../ui/time-chart-plot";
import { shareOf } from "../ui/value-scale";
import type { Stretch } from "../ui/ranges";

/** The box a strip's paths are in: they are stretched to the width there is. */
export const STRIP = { width: 1000, height: 48, pad: 4 } as const;

/** The line of a strip and the band of its extremes, as paths of SVG; stretches stay apart. @param step whether values hold until the next: then there is no band */
export function stripPaths(
  stretches: readonly (readonly PlotPoint[])[],
  { from, to }: Stretch,
  range: readonly [low: number, high: number],
  step = false,
): { readonly line: string; readonly band: string } {
  const [low, high] = range;
  const x = (time: number) => round(((time - from) / (to - from)) * STRIP.width);
  const y = (value: number) =>
    round(
      STRIP.pad + (1 - (low === high ? 0.5 : shareOf(value, { min: low, max: high }))) * (STRIP.height - 2 * STRIP.pad),
    );
  let line = "";
  let band = "";
  for (const stretch of stretches) {
    const there = stretch
      .map((point, i) =>
        i === 0
          ? `M${x(point.time)} ${y(point.value)}`
          : step
            ? `H${x(point.time)}V${y(point.value)}`
            : `L${x(point.time)} ${y(point.value)}`,
      )
      .join("");
    // A lone point would be an empty path.
    line += stretch.length === 1 ? `${there}h3` : there;
    if (step || stretch.every((point) => point.low === point.high)) continue;
    const top = stretch.map((point, i) => `${i === 0 ? "M" : "L"}${x(point.time)} ${y(point.high)}`);
    const foot = stretch.toReversed().map((point) => `L${x(point.time)} ${y(point.low)}`);
    band += `${top.join("")}${foot.join("")}Z`;
  }
  return { line, band };
}

/** A stretch of one value of a flag; null: both, in buckets that hold several readings. */
export interface FlagBand extends Stretch {
  readonly value: boolean | null;
}

/** A flag's values as stretches, each until the next. @param points of one unbroken stretch, see toStretches */
export function flagBands(points: readonly PlotPoint[], to: number): FlagBand[] {
  const bands: { from: number; to: number; value: boolean | null }[] = [];
  points.forEach((point, i) => {
    const value = point.low === point.high ? point.value === 1 : null;
    const end = points[i + 1]?.time ?? Math.min(to, point.time);
    const before = bands.at(-1);
    if (before?.value === value) before.to = end;
    else bands.push({ from: point.time, to: end, value });
  });
  return bands;
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
