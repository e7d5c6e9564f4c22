import type { ConditionDraft } from "./draft";

/** A point of a chart: a reading, or the extremes of a stretch of them. */
interface Extremes {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Suggests a limit that one in a hundred points of a chart go beyond at most, and says how many of them do; null where none can be told.
 * A point may stand for many readings: it goes beyond if one of them does.
 */
export function suggestLimit(
  points: readonly Omit<Extremes, "value">[],
  is: ConditionDraft["is"],
): { readonly limit: number; readonly beyond: number; readonly of: number } | null {
  if (points.length < 10 || (is !== "above" && is !== "below")) return null;
  const sign = is === "above" ? 1 : -1;
  const values = points.map(({ low, high }) => sign * (is === "above" ? high : low)).sort((a, b) => a - b);
  const value = values[Math.ceil(values.length * 0.99) - 1]!;
  // As fine as the usual is wide: an extreme one would make it coarse.
  const span = value - values[0]!;
  const step = 10 ** Math.floor(Math.log10(Math.max(span, Math.abs(value) * 1e-3, 1e-9) / 50));
  const limit = Number((Math.ceil(value / step) * step).toPrecision(12));
  return { limit: sign * limit, beyond: values.filter((one) => one > limit).length, of: values.length };
}

/** What is usual is read off an axis that gives outliers no more room than itself on either side. */
const ROOM = 1;
const USUAL = 0.02;

/** How far the axis of a chart with limits to drag reaches, and how far its values do; null without points. */
export function reachOf(points: readonly Extremes[]) {
  if (points.length === 0) return null;
  const values = points.map(({ value }) => value).sort((a, b) => a - b);
  const lowest = points.reduce((least, { low }) => Math.min(least, low), Infinity);
  const highest = points.reduce((most, { high }) => Math.max(most, high), -Infinity);
  const skipped = Math.floor(values.length * USUAL);
  const [foot, top] = [values[skipped]!, values[values.length - 1 - skipped]!];
  // Where nearly all are the same, what differs is what there is to see.
  const room = top > foot ? (top - foot) * ROOM : Infinity;
  return { low: Math.max(lowest, foot - room), high: Math.min(highest, top + room), lowest, highest };
}
