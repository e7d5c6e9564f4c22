import { formatDuration } from "../ui/format";
import type { TimeRow } from "../ui/time-chart-data";
import type { ValueScale } from "../ui/value-scale";

/** Shorter than this looks the same. */
const LEAST_MS = 0.01;

/** Rows of milliseconds as their logarithms, with the axis for them: whole powers of ten around all values. */
export function logPlot(rows: readonly TimeRow[], keys: readonly string[]): { rows: TimeRow[]; scale: ValueScale } {
  let low = Infinity;
  let high = -Infinity;
  const plotted = rows.map((row) => {
    const drawn: Record<string, number | null> = {};
    for (const key of keys) {
      const ms = row[key];
      const exponent = typeof ms === "number" ? Math.log10(Math.max(LEAST_MS, ms)) : null;
      drawn[key] = exponent;
      if (exponent === null) continue;
      low = Math.min(low, exponent);
      high = Math.max(high, exponent);
    }
    return { ...drawn, time: row.time };
  });
  const [foot, top] = low > high ? [-1, 3] : [Math.floor(low), Math.max(Math.floor(low) + 1, Math.ceil(high))];
  // At most six labels: a long axis labels every second power.
  const step = Math.ceil((top - foot) / 5);
  const ticks = Array.from({ length: Math.floor((top - foot) / step) + 1 }, (_, i) => foot + i * step);
  return { rows: plotted, scale: { min: foot, max: top, ticks, label: (exponent) => formatDuration(10 ** exponent) } };
}
