import type { EpochMs } from "@/server/domain/terms";
import type { PlotPoint } from "./time-chart-plot";
import type { TimeRow } from "./time-chart-data";

/** A line to be drawn: its stretches (see toStretches), and whether a value holds until the next one. */
export interface Line {
  readonly key: string;
  readonly stretches: readonly (readonly PlotPoint[])[];
  readonly step: boolean;
}

/** The key of a line's band in a row. */
export function bandKey(key: string): string {
  return `${key} band`;
}

/**
 * Lines side by side in one set of rows. Where only others have a point, a line has the value it passes through there,
 * so that it looks the same as alone; between its stretches it has none, and a row of nothing breaks it.
 */
export function toRows(lines: readonly Line[]): TimeRow[] {
  const times = new Set<EpochMs>();
  for (const { stretches } of lines) {
    stretches.forEach((stretch, i) => {
      for (const { time } of stretch) times.add(time);
      const next = stretches[i + 1]?.[0];
      if (next) times.add((stretch.at(-1)!.time + next.time) / 2);
    });
  }
  const rows = [...times].sort((a, b) => a - b).map((time): Record<string, unknown> & { time: number } => ({ time }));
  for (const line of lines) fill(rows, line);
  return rows;
}

function fill(rows: (Record<string, unknown> & { time: number })[], { key, stretches, step }: Line): void {
  const band = bandKey(key);
  let at = 0;
  let i = 0;
  for (const row of rows) {
    while (at < stretches.length && stretches[at]!.at(-1)!.time < row.time) {
      at++;
      i = 0;
    }
    const stretch = stretches[at];
    const first = stretch?.[0];
    if (!stretch || !first || row.time < first.time) {
      row[key] = null;
      row[band] = null;
      continue;
    }
    while (i + 1 < stretch.length && stretch[i + 1]!.time <= row.time) i++;
    const [before, after] = [stretch[i]!, stretch[i + 1]];
    const share = !after || step ? 0 : (row.time - before.time) / (after.time - before.time);
    const between = (of: (point: PlotPoint) => number) =>
      after ? valueBetween(of(before), of(after), share) : of(before);
    row[key] = between(({ value }) => value);
    row[band] = [between(({ low }) => low), between(({ high }) => high)];
  }
}

function valueBetween(a: number, b: number, share: number): number {
  const step = b - a;
  return Number.isFinite(step) ? a + step * share : a * (1 - share) + b * share;
}
