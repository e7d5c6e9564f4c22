import { shareOf } from "./value-scale";

/** Space around the plot, in pixels: the unit above, values at the left, labels of the last values at the right, times below. */
export const PLOT = { top: 28, right: 60, bottom: 28, left: 60 } as const;

/** A reading or bucket as the chart shows it. Times in epoch ms. */
export interface PlotPoint {
  /** The moment it is drawn at. */
  readonly time: number;
  /** The start of its time: the same for a reading, earlier for a bucket. */
  readonly start: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** A point without neighbors, which a line alone would not show. */
  readonly alone: boolean;
}

/** Pixels from the left edge of the chart, for a time. */
export function xOf(time: number, from: number, to: number, width: number): number {
  return PLOT.left + ((time - from) / (to - from)) * (width - PLOT.left - PLOT.right);
}

/** Returns the time at a distance in pixels from the left edge, within the range. */
export function timeAt(x: number, from: number, to: number, width: number): number {
  const share = (x - PLOT.left) / Math.max(1, width - PLOT.left - PLOT.right);
  return Math.round(from + Math.min(1, Math.max(0, share)) * (to - from));
}

/** Pixels from the top edge of the chart, for a value. */
export function yOf(value: number, scale: { readonly min: number; readonly max: number }, height: number): number {
  return PLOT.top + (1 - shareOf(value, scale)) * (height - PLOT.top - PLOT.bottom);
}

/** The point drawn nearest to a time, if it is within `reach` ms. Points are in order of time. */
export function nearest(points: readonly PlotPoint[], time: number, reach: number): PlotPoint | null {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]!.time < time) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [points[low - 1], points[low]];
  const best = !before || (after && after.time - time < time - before.time) ? after : before;
  return best && Math.abs(best.time - time) <= reach ? best : null;
}

/** The point whose value holds at a time; the first one if it is within `reach` ms after. Points are in order of time. */
export function heldAt(points: readonly PlotPoint[], time: number, reach: number): PlotPoint | null {
  const last = points.at(-1);
  if (!last || time > last.time + reach) return null;
  return points.findLast((point) => point.time <= time) ?? nearest(points, time, reach);
}

/**
 * The moment some points on from where a person is, of any line within the range; the last one when nothing is pointed at.
 * @returns null when there is no point.
 */
export function stepped(
  lines: readonly { readonly points: readonly PlotPoint[] }[],
  at: number | null,
  steps: number,
  from: number,
  to: number,
): number | null {
  const inside = lines
    .flatMap(({ points }) => points.map(({ time }) => time))
    .filter((time) => time >= from && time <= to);
  const times = [...new Set(inside)].sort((a, b) => a - b);
  if (times.length === 0) return null;
  if (at === null || at < from || at > to) return steps === Number.NEGATIVE_INFINITY ? times[0]! : times.at(-1)!;
  const before = times.findLastIndex((time) => time <= at);
  // From between two points, one step leads to the next of them on either side.
  const isBetween = times[before] !== at;
  const next = before + steps + (isBetween && steps < 0 ? 1 : 0);
  return times[Math.min(times.length - 1, Math.max(0, next))]!;
}

/** The height of a limit's label, the width of its letters at most, and what is between two, in pixels. */
const LABEL = { height: 16, letter: 7, gap: 8 } as const;

interface Labelled {
  readonly value: number;
  readonly label: string;
  readonly below?: boolean;
}

/** Pixels by which the label of each limit stands aside, so that none covers that of a limit near it. */
export function labelAsides(
  limits: readonly Labelled[],
  scale: { readonly min: number; readonly max: number },
  height: number,
): number[] {
  const foot = ({ value, below }: Labelled) => yOf(value, scale, height) + (below ? LABEL.height : 0);
  const asides: number[] = [];
  for (const one of limits) {
    const before = limits.slice(0, asides.length);
    const ends = before.map(({ label }, i) => asides[i]! + label.length * LABEL.letter + LABEL.gap);
    asides.push(Math.max(0, ...ends.filter((_, i) => Math.abs(foot(one) - foot(before[i]!)) < LABEL.height)));
  }
  return asides;
}
