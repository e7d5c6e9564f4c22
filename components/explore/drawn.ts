import type { ExploreAnswer, ExploreSeries } from "@/server/contracts/explore";
import { readable } from "@/server/domain/readable";
import type { EpochMs } from "@/server/domain/terms";
import { toStretches } from "../live/series";
import { bandKey, type Line, toRows } from "../ui/chart-rows";
import { decimalsIn, formatDecimals, formatExact, formatMetric, formatShare } from "../ui/format";
import { lineColor } from "../ui/theme";
import type { TimeRow, TimeSeries } from "../ui/time-chart-data";
import { nearest, type PlotPoint } from "../ui/time-chart-plot";

/** A series as the page shows it. Times in epoch ms. */
export interface Drawn {
  readonly id: string;
  readonly label: string;
  readonly unit: string | null;
  /** A color token; of its own while there are few. */
  readonly color: string;
  readonly figures: ExploreSeries["figures"];
  /** Its steps, each in the middle of its time, in unbroken stretches; empty for a strip. */
  readonly stretches: readonly (readonly PlotPoint[])[];
  readonly points: readonly PlotPoint[];
  /** The same one range, day or week earlier, laid over it; null when that isn't asked for. */
  readonly before: {
    readonly stretches: readonly (readonly PlotPoint[])[];
    readonly points: readonly PlotPoint[];
  } | null;
}

/** Min and max of a step are drawn behind so many lines; of more they would hide each other. */
const BANDS_UP_TO = 2;

/** All series of an answer, in its order. */
export function drawnOf(answer: ExploreAnswer): Drawn[] {
  const { series, previous, by, bucketMs } = answer;
  // The share of several devices that are true doesn't hold until the next one, as a flag does.
  const kind = by === "device" ? answer.kind : "number";
  const [from, to] = [Date.parse(answer.from), Date.parse(answer.to)];
  const earlier = new Map(previous?.series.map((one) => [one.id, one]));
  const laid = (one: ExploreSeries | undefined, shiftMs: number) => {
    const points = (one?.points ?? []).map(([time, count, mean, min, max, last]) => {
      return { time: time + shiftMs, count, mean, min, max, last };
    });
    const held = one?.held ?? null;
    const before = held?.before && { ...held.before, time: held.before.time + shiftMs };
    // What was earlier goes on to its end, as far as its device had sent anything by then.
    const until = held?.until == null ? null : Math.min(to, held.until + shiftMs);
    const stretches = toStretches({ points, bucketMs, kind, before: before ?? null }, from, to, until);
    return { stretches, points: stretches.flat() };
  };
  return series.map((one, i) => ({
    ...{ id: one.id, label: labelOf(one, by), unit: one.unit, figures: one.figures },
    color: lineColor(answer, i, series.length),
    ...laid(one, 0),
    before: previous === null ? null : laid(earlier.get(one.id), previous.shiftMs),
  }));
}

function labelOf({ id, name }: ExploreSeries, by: ExploreAnswer["by"]): string {
  if (by === "device") return id;
  return name === null ? `no ${by}${id}` : readable(id);
}

/** Series by their unit, in which a chart has one axis; the unit of the first series first. */
export function byUnit(series: readonly Drawn[]): (readonly [unit: string | null, series: readonly Drawn[]])[] {
  const groups = new Map<string | null, Drawn[]>();
  for (const one of series) groups.set(one.unit, [...(groups.get(one.unit) ?? []), one]);
  return [...groups];
}

/** The rows and lines of a chart of these series. Names get a word before them, so that none is taken for the time of a row. */
export function chartOf(series: readonly Drawn[], isStep: boolean): { rows: TimeRow[]; lines: TimeSeries[] } {
  const withBand = series.length <= BANDS_UP_TO && !isStep;
  const lines: (Line & TimeSeries)[] = series.flatMap(({ id, label, color, stretches, points, before }) => {
    const own = { key: `series ${id}`, label, color, step: isStep };
    const line = { ...own, stretches, points, ...(withBand ? { band: bandKey(own.key) } : {}) };
    if (before === null) return [line];
    const ghost = { ...own, key: `before ${id}`, label: `${label} before`, faint: true };
    return [{ ...ghost, stretches: before.stretches, points: before.points }, line];
  });
  return { rows: toRows(lines), lines };
}

/** Lowest and highest value drawn of these series; null when there is none. */
export function extremesOf(series: readonly Drawn[]): readonly [low: number, high: number] | null {
  let [low, high] = [Infinity, -Infinity];
  for (const { points, before } of series)
    for (const point of [...points, ...(before?.points ?? [])]) {
      low = Math.min(low, point.low);
      high = Math.max(high, point.high);
    }
  return low > high ? null : [low, high];
}

/** How values of an answer are written: exact, where digits line up; and short, at the end of a line. */
export interface Writing {
  readonly exact: (value: number) => string;
  readonly short: (value: number) => string;
}

/** @param values those that were sent, which tell the digits that means have, too. */
export function writingOf(
  { kind, decimals: measured }: Pick<ExploreAnswer, "kind" | "decimals">,
  values: readonly number[],
): Writing {
  if (kind === "boolean") return { exact: flagShare, short: flagShare };
  const decimals = decimalsIn(values) + 1;
  return {
    exact: (value) => (Math.abs(value) < 1e-6 ? formatExact(value) : formatDecimals(value, decimals)),
    short: (value) => formatMetric(value, measured),
  };
}

function flagShare(value: number): string {
  return value === 0 ? "false" : value === 1 ? "true" : `${formatShare(value)} true`;
}

/** Values of an answer as they were sent, for the digits they have. */
export function sentValues(answer: ExploreAnswer): number[] {
  return answer.series.flatMap(({ figures: { min, max } }) => [min ?? 0, max ?? 0]);
}

/** The point of a series at the moment pointed at; null where it has none near. @param reachMs how far away it may be */
export function atCursor(points: readonly PlotPoint[], time: EpochMs | null, reachMs: number): PlotPoint | null {
  return time === null ? null : nearest(points, time, reachMs);
}

/** A column of figures that series are sorted by. */
export const COLUMNS = ["last", "min", "mean", "max"] as const;
export type SortBy = "name" | "cursor" | (typeof COLUMNS)[number];

/** An order of series: by a column, with - before it for the largest first. */
export interface Order {
  readonly by: SortBy;
  readonly isDescending: boolean;
}

const SORTS: readonly string[] = ["name", "cursor", ...COLUMNS] satisfies SortBy[];

/** Reads an order as the address has it ("-mean"); by name when it has none. */
export function orderIn(text: string | null): Order {
  const [, minus = "", by = "name"] = /^(-?)(\w+)$/.exec(text ?? "") ?? [];
  return SORTS.includes(by) ? { by: by as SortBy, isDescending: minus === "-" } : { by: "name", isDescending: false };
}

/** The order when the head of a column is pressed: figures begin with the largest, names with the first. */
export function nextOrder({ by, isDescending }: Order, column: SortBy): string {
  const descending = by === column ? !isDescending : column !== "name";
  return `${descending ? "-" : ""}${column}`;
}

/** Series in an order; those without a value come last either way, and equal ones by their names. */
export function sorted<T extends Pick<Drawn, "label" | "figures">>(
  series: readonly T[],
  { by, isDescending }: Order,
  cursor: (one: T) => number | null,
): T[] {
  const sign = isDescending ? -1 : 1;
  const byName = (a: T, b: T) => a.label.localeCompare(b.label, "en", { numeric: true });
  if (by === "name") return series.toSorted((a, b) => sign * byName(a, b));
  const valueOf = (one: T) => (by === "cursor" ? cursor(one) : one.figures[by]);
  return series.toSorted((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || byName(a, b);
    return sign * (x - y) || byName(a, b);
  });
}
