import type { ReadingsAnswer } from "@/server/contracts/devices";
import type { FrameData } from "@/server/contracts/live";
import type { EpochMs } from "@/server/domain/terms";

export type HistoryPoint = ReadingsAnswer["points"][number];

/** What a chart of one metric shows: points of one width, whether loaded or come live since. */
export interface Series {
  readonly device: string;
  readonly metric: string;
  readonly unit: string | null;
  readonly kind: "number" | "boolean";
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly resolution: ReadingsAnswer["resolution"];
  /** Width of a point in ms; 0 for raw readings. */
  readonly bucketMs: number;
  /** In event-time order, each time once. */
  readonly points: readonly HistoryPoint[];
  /** Event time of the newest live reading taken in; null when none was. */
  readonly newestLive: EpochMs | null;
}

/** A loaded answer as a series. */
export function toSeries(answer: ReadingsAnswer): Series {
  const { device, metric, unit, kind, resolution, bucketMs, points } = answer;
  return {
    device,
    metric,
    unit,
    kind,
    resolution,
    bucketMs,
    points,
    from: Date.parse(answer.from),
    to: Date.parse(answer.to),
    newestLive: null,
  };
}

/**
 * Takes live readings into the same buckets the loaded history has, so that there is no seam between the two.
 * Raw readings with a time already there are repeats and are ignored, as they are in the store.
 */
export function mergeReadings(series: Series, readings: readonly (readonly [EpochMs, number])[]): Series {
  const fresh = readings.filter(([time]) => time >= series.from);
  if (fresh.length === 0) return series;
  const points = [...series.points];
  let newestLive = series.newestLive;
  for (const [time, value] of fresh) {
    const start = series.bucketMs === 0 ? time : bucketStart(series, time);
    const at = lowerBound(points, start);
    const known = points[at];
    if (known?.time !== start) points.splice(at, 0, single(start, value));
    else if (series.bucketMs > 0) points[at] = joined(known, value, newestLive === null || time >= newestLive);
    if (newestLive === null || time > newestLive) newestLive = time;
  }
  return { ...series, points, newestLive };
}

/** What a device's frame does to the series of one of its metrics. */
export function applyToSeries(series: Series, data: FrameData): Series {
  if (data.kind !== "devices") return series;
  return data.devices
    .filter((device) => device.id === series.device)
    .reduce((state, device) => mergeReadings(state, device.points[series.metric] ?? []), series);
}

/** True if the series must be loaded again: the frame left readings out, or raw readings have become too many to draw. */
export function mustReload(series: Series, data: FrameData): boolean {
  if (data.kind !== "devices") return false;
  return (
    series.points.length > MOST_POINTS || data.devices.some((device) => device.id === series.device && device.more)
  );
}

/** Points asked for, and how many may be drawn before the series is loaded again in wider buckets. */
export const WANTED_POINTS = 240;
const MOST_POINTS = 300;

/** A point as the chart draws it; nulls break the line. */
export interface ChartRow {
  readonly time: EpochMs;
  readonly mean: number | null;
  readonly band: readonly [number, number] | null;
  /** A point without neighbors, which a line alone would not show. */
  readonly alone: boolean;
  readonly point: HistoryPoint | null;
}

/** Rows within [from, to]: each point in the middle of its bucket, with a break wherever readings are missing. */
export function toRows(series: Series, from: EpochMs, to: EpochMs): ChartRow[] {
  const { bucketMs } = series;
  const visible = series.points.filter((point) => point.time + bucketMs >= from && point.time <= to);
  const gap = gapMs(visible, bucketMs);
  const rows: ChartRow[] = [];
  const inside = (time: EpochMs) => Math.min(to, Math.max(from, time));
  visible.forEach((point, i) => {
    const before = visible[i - 1];
    const after = visible[i + 1];
    const breakBefore = before === undefined || point.time - before.time > gap;
    const breakAfter = after === undefined || after.time - point.time > gap;
    if (before && breakBefore)
      rows.push({ time: inside((before.time + point.time) / 2), mean: null, band: null, alone: false, point: null });
    rows.push({
      time: inside(point.time + bucketMs / 2),
      mean: point.mean,
      band: [point.min, point.max],
      alone: breakBefore && breakAfter,
      point,
    });
  });
  return rows;
}

/** From which distance on two points are apart: well above what is usual between them. */
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
    mean: point.mean + (value - point.mean) / count,
    min: Math.min(point.min, value),
    max: Math.max(point.max, value),
    last: isLatest ? value : point.last,
  };
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
export function summarize(rows: readonly ChartRow[]): { min: number; max: number; last: number } | null {
  const points = rows.flatMap((row) => (row.point ? [row.point] : []));
  const latest = points.at(-1);
  if (!latest) return null;
  return {
    min: points.reduce((low, point) => Math.min(low, point.min), latest.min),
    max: points.reduce((high, point) => Math.max(high, point.max), latest.max),
    last: latest.last,
  };
}
