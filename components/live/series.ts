import { ownMember } from "@/server/domain/own-member";
import type { CurrentValue } from "@/server/contracts/common";
import type { ReadingsAnswer, StripsAnswer } from "@/server/contracts/devices";
import type { FrameData, LiveDevice } from "@/server/contracts/live";
import type { EpochMs } from "@/server/domain/terms";
import { decimalsIn } from "../ui/format";
import type { PlotPoint } from "../ui/time-chart-plot";

export type HistoryPoint = ReadingsAnswer["points"][number];

/** The data of one metric's chart: points of one width, whether loaded or come live since. */
export interface Series {
  readonly device: string;
  readonly metric: string;
  readonly unit: string | null;
  readonly kind: "number" | "boolean";
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly resolution: ReadingsAnswer["resolution"];
  readonly cold: ReadingsAnswer["cold"];
  /** Width of a point in ms; 0 for raw readings. */
  readonly bucketMs: number;
  /** In event-time order, each time once. */
  readonly points: readonly HistoryPoint[];
  /** Event time of the newest reading known; null when there is none. */
  readonly latest: EpochMs | null;
  /** The last reading before `from`; null where none is known. */
  readonly before: { readonly time: EpochMs; readonly value: number } | null;
  /** Ingest time of the device's newest message when this was loaded; null when there was none. */
  readonly lastSeen: EpochMs | null;
  /** True once a frame held messages that came after loading: all later frames are news in full. */
  readonly isPastLoad: boolean;
}

/** The series of all metrics of a device. */
export function toSeriesOfAll({ device, from, to, bucketMs, lastSeen, strips }: StripsAnswer): readonly Series[] {
  return strips.map(({ points, ...strip }) => ({
    ...{ device, bucketMs, resolution: "minute", cold: "none", isPastLoad: false, ...strip },
    from: Date.parse(from),
    to: Date.parse(to),
    lastSeen: lastSeen === null ? null : Date.parse(lastSeen),
    points: points.map(([time, count, mean, min, max, last]) => ({ time, count, mean, min, max, last })),
  }));
}

/** A loaded answer as a series. */
export function toSeries(answer: ReadingsAnswer): Series {
  const { device, metric, unit, kind, resolution, cold, bucketMs, points, latest, before, lastSeen } = answer;
  return {
    device,
    metric,
    unit,
    kind,
    resolution,
    cold,
    bucketMs,
    points,
    latest,
    before,
    from: Date.parse(answer.from),
    to: Date.parse(answer.to),
    lastSeen: lastSeen === null ? null : Date.parse(lastSeen),
    isPastLoad: false,
  };
}

/**
 * Takes readings into the same buckets the loaded history has, so that there is no seam between the two. Raw readings
 * with a time already there are repeats and are ignored, as they are in the store.
 */
export function mergeReadings(series: Series, readings: readonly (readonly [EpochMs, number])[]): Series {
  const fresh = readings.filter(([time]) => time >= series.from);
  if (fresh.length === 0) return series;
  const points = [...series.points];
  let latest = series.latest;
  for (const [time, value] of fresh) {
    const start = series.bucketMs === 0 ? time : bucketStart(series, time);
    const at = lowerBound(points, start);
    const known = points[at];
    if (known?.time !== start) points.splice(at, 0, single(start, value));
    else if (series.bucketMs > 0) points[at] = joined(known, value, latest === null || time >= latest);
    if (latest === null || time > latest) latest = time;
  }
  return { ...series, points, latest };
}

/** Applies a device's frame to the series of one of its metrics. */
export function applyToSeries(series: Series, data: FrameData): Series {
  if (data.kind !== "devices") return series;
  return data.devices.filter((device) => device.id === series.device).reduce(applyDevice, series);
}

/**
 * A frame may tell of readings that the loaded history counts already. One whose messages all came before loading is
 * skipped; in the first that reaches beyond it, what is no newer than the newest reading counted is taken to be counted.
 */
function applyDevice(series: Series, { lastSeen, points }: LiveDevice): Series {
  const readings = ownMember(points, series.metric) ?? [];
  if (series.isPastLoad || series.lastSeen === null) return mergeReadings(series, readings);
  if (lastSeen < series.lastSeen) return series;
  const { latest } = series;
  const news = series.bucketMs === 0 || latest === null ? readings : readings.filter(([time]) => time > latest);
  const merged = mergeReadings(series, news);
  return lastSeen > series.lastSeen ? { ...merged, isPastLoad: true } : merged;
}

/** Applies a device's frame to all series of a page; returns the same array when nothing changed. */
export function applyToAll(all: readonly Series[], data: FrameData): readonly Series[] {
  const next = all.map((series) => applyToSeries(series, data));
  return next.some((series, i) => series !== all[i]) ? next : all;
}

/** True if the series must be loaded again: the frame left readings out, or raw readings have become too many to draw. */
export function mustReload(all: readonly Series[], data: FrameData): boolean {
  if (data.kind !== "devices") return false;
  return (
    all.some((series) => series.points.length > MOST_POINTS) ||
    data.devices.some((device) => device.id === all[0]?.device && device.more)
  );
}

/**
 * Points asked for (30 days in buckets of 3 hours and an hour in 15 seconds fit, with one begun at either end), and how
 * many may be drawn before the series is loaded again in wider buckets.
 */
export const WANTED_POINTS = 250;
const MOST_POINTS = 300;

/**
 * The points within [from, to], each in the middle of its bucket, in unbroken stretches: between them readings are missing.
 * A flag, and a number that `holds` (see changeOnly), keeps its value until the next one, and the last until `heldUntil`,
 * the device's latest event time; at `from` it has the one it had before, whose point starts when that came.
 */
export function toStretches(
  series: Pick<Series, "points" | "bucketMs" | "kind"> & Partial<Pick<Series, "before">>,
  from: EpochMs,
  to: EpochMs,
  heldUntil: EpochMs | null = null,
  holds: boolean = series.kind === "boolean",
): PlotPoint[][] {
  const { bucketMs } = series;
  const visible = series.points.filter((point) => point.time + bucketMs >= from && point.time <= to);
  const gap = holds ? Number.POSITIVE_INFINITY : gapMs(visible, bucketMs);
  const stretches: PlotPoint[][] = [];
  visible.forEach((point, i) => {
    const before = visible[i - 1];
    const drawn = {
      time: Math.min(to, Math.max(from, point.time + bucketMs / 2)),
      start: point.time,
      value: point.mean,
      low: point.min,
      high: point.max,
      alone: false,
    };
    if (before && point.time - before.time <= gap) stretches.at(-1)!.push(drawn);
    else stretches.push([drawn]);
  });
  const end = Math.min(to, heldUntil ?? to);
  const earlier = holds ? heldFrom(series, from) : null;
  const [first] = visible;
  if (earlier && (first ? first.time > from : heldUntil !== null && end > from)) {
    const { time: start, value } = earlier;
    const held = { time: from, start, value, low: value, high: value, alone: false };
    if (first) stretches[0]!.unshift(held);
    else stretches.push([held]);
  }
  const last = holds ? stretches.at(-1)?.at(-1) : undefined;
  if (last && heldUntil !== null && end > last.time) {
    const value = visible.at(-1)?.last ?? last.value;
    stretches.at(-1)!.push({ time: end, start: last.start, value, low: value, high: value, alone: false });
  }
  return stretches.map((stretch) => (stretch.length === 1 ? [{ ...stretch[0]!, alone: true }] : stretch));
}

/** The last reading that is known of a series before `from`: of one that goes on live it may be of a point that has left the range. */
export function heldFrom(
  { points, bucketMs, before = null }: Parameters<typeof toStretches>[0],
  from: EpochMs,
): Series["before"] {
  const left = points.findLast(({ time }) => time + bucketMs < from);
  return left ? { time: left.time, value: left.last } : before;
}

/** A number sent in at most this share of the buckets in which its device sent something may be one that is sent when it changes. */
const RARE = 0.5;
/** Fewer changes say nothing. */
const FEW = 3;

/**
 * The metrics of a device that are sent only when they change, so that each holds until the next: flags, and numbers that
 * come far less often than the device sends and are never the same twice in a row. @param strips all metrics over one stretch, in buckets of one width
 */
export function changeOnly(strips: readonly Series[] | undefined): string[] {
  const sent = new Set(strips?.flatMap(({ points }) => points.map(({ time }) => time))).size;
  return (strips ?? [])
    .filter(({ kind, points }) => {
      if (kind === "boolean") return true;
      if (points.length < FEW || points.length > sent * RARE) return false;
      return points.every((point, i) => i === 0 || point.last !== points[i - 1]!.last);
    })
    .map(({ metric }) => metric);
}

/** A flag of which nothing is loaded. */
export function emptyFlag(device: string, metric: string): Series {
  return {
    ...{ device, metric, unit: null, kind: "boolean", from: 0, to: 0, resolution: "raw", cold: "none", bucketMs: 0 },
    ...{ points: [], latest: null, before: null, lastSeen: null, isPastLoad: false },
  };
}

/**
 * A flag that said nothing since `from` because it didn't change: with the value it has had since before, however long, as its
 * device's twin tells. @param current what the twin tells of the metric
 */
export function heldBefore(series: Series, current: CurrentValue | undefined, from: EpochMs): Series {
  const { kind, before } = series;
  const time = current ? Date.parse(current.time) : from;
  if (kind !== "boolean" || !current || time >= from || (before !== null && before.time >= time)) return series;
  return { ...series, before: { time, value: Number(current.value) } };
}

/** The lowest and the highest value of what is drawn. */
export function extremesOf(stretches: readonly (readonly PlotPoint[])[]): readonly [low: number, high: number] {
  const points = stretches.flat();
  return [
    points.reduce((least, { low }) => Math.min(least, low), Infinity),
    points.reduce((most, { high }) => Math.max(most, high), -Infinity),
  ];
}

/** The points of a series within [from, to]. */
export function visiblePoints(series: Series, from: EpochMs, to: EpochMs): HistoryPoint[] {
  return series.points.filter((point) => point.time + series.bucketMs >= from && point.time <= to);
}

/** The decimals a chart's read-out of a series needs: those its readings were sent with, of which extremes are some, and one more for means. */
export function decimalsOf({ points, bucketMs }: Pick<Series, "points" | "bucketMs">): number {
  return decimalsIn(points.flatMap(({ min, max }) => [min, max])) + (bucketMs > 0 ? 1 : 0);
}

/** Returns the distance from which two points count as apart: well above what is usual between them. */
function gapMs(points: readonly HistoryPoint[], bucketMs: number): number {
  const distances = points.slice(1).map((point, i) => point.time - (points[i]?.time ?? 0));
  distances.sort((a, b) => a - b);
  const median = distances[Math.floor(distances.length / 2)] ?? 0;
  return Math.max(bucketMs * 1.5, median * 2.5);
}

function bucketStart(series: Series, time: EpochMs): EpochMs {
  const width = series.bucketMs;
  // The server decides where buckets begin; those that are there show it.
  const phase = (series.points[0]?.time ?? 0) % width;
  return Math.floor((time - phase) / width) * width + phase;
}

function single(time: EpochMs, value: number): HistoryPoint {
  return { time, count: 1, mean: value, min: value, max: value, last: value };
}

function joined(point: HistoryPoint, value: number, isLatest: boolean): HistoryPoint {
  const count = point.count + 1;
  return {
    time: point.time,
    count,
    mean: meanWith(point.mean, value, count),
    min: Math.min(point.min, value),
    max: Math.max(point.max, value),
    last: isLatest ? value : point.last,
  };
}

/** The mean of `count` values, of which `value` is the last. */
function meanWith(mean: number, value: number, count: number): number {
  const step = value - mean;
  return mean + (Number.isFinite(step) ? step / count : value / count - mean / count);
}

function lowerBound(points: readonly HistoryPoint[], time: EpochMs): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle]?.time ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Lowest, highest and latest of what is shown; null when nothing is. */
export function summarize(points: readonly HistoryPoint[]): { min: number; max: number; last: number } | null {
  const latest = points.at(-1);
  if (!latest) return null;
  return {
    min: points.reduce((low, point) => Math.min(low, point.min), latest.min),
    max: points.reduce((high, point) => Math.max(high, point.max), latest.max),
    last: latest.last,
  };
}
