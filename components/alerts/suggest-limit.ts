import type { ConditionDraft } from "./draft";

/**
 * Suggests a limit beyond which few readings lie, from the extremes of what a chart shows; null where none can be told.
 */
export function suggestLimit(
  points: readonly { readonly low: number; readonly high: number }[],
  is: ConditionDraft["is"],
): number | null {
  if (points.length < 10 || (is !== "above" && is !== "below")) return null;
  const values = points.map(({ low, high }) => (is === "above" ? high : low)).sort((a, b) => a - b);
  const place = is === "above" ? Math.floor(values.length * 0.99) : Math.ceil(values.length * 0.01);
  const value = values[Math.min(values.length - 1, place)]!;
  const span = values.at(-1)! - values[0]!;
  const step = 10 ** Math.floor(Math.log10(Math.max(span, Math.abs(value) * 1e-3, 1e-9) / 50));
  const rounded = is === "above" ? Math.ceil(value / step) * step : Math.floor(value / step) * step;
  return Number(rounded.toPrecision(12));
}
