import type { Pool } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { bucketWidth } from "./bucket-width";

/** A stretch of one series: [from, to) in epoch milliseconds. */
export interface SeriesQuery {
  readonly device: number;
  readonly metric: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly resolution: "auto" | "raw" | "minute" | "hour";
  readonly maxPoints: number;
}

export interface SeriesPoint {
  /** Start of the bucket, or the reading's event time, in epoch milliseconds. */
  readonly time: EpochMs;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly last: number;
}

export interface Series {
  /** What the points cover. Buckets are whole, so this may reach beyond what was asked for. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly resolution: "raw" | "minute" | "hour";
  readonly bucketMs: number;
  readonly points: readonly SeriesPoint[];
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Up to here raw readings are counted one by one; beyond, the hour rollups tell how many there are. */
const COUNTED_UP_TO = 6 * HOUR;

/** Reads a series with at most `maxPoints` points, keeping the extremes. Booleans are 0 and 1. */
export async function readSeries(pool: Pool, query: SeriesQuery): Promise<Series> {
  const held = await extent(pool, query);
  const asked = { from: query.from, to: query.to };
  if (held === null) {
    return { ...asked, resolution: query.resolution === "auto" ? "raw" : query.resolution, bucketMs: 0, points: [] };
  }
  // Widths are chosen for where there is data: a range of decades over a day of readings still shows the day.
  const within = { ...query, from: Math.max(query.from, held.from), to: Math.min(query.to, held.to) };
  const resolution = query.resolution === "auto" ? await fitting(pool, within) : query.resolution;

  if (resolution === "raw") {
    const points = await rawPoints(pool, within);
    if (points.length <= query.maxPoints) return { ...asked, resolution, bucketMs: 0, points };
    const bucketMs = bucketWidth(within.from, within.to, query.maxPoints, 1);
    return { ...asked, resolution, bucketMs, points: await downsampled(pool, within, bucketMs) };
  }
  const bucketMs = bucketWidth(within.from, within.to, query.maxPoints, resolution === "hour" ? HOUR : MINUTE);
  const from = Math.floor(within.from / bucketMs) * bucketMs;
  const to = Math.ceil(within.to / bucketMs) * bucketMs;
  const points = await mergedRollups(pool, { ...within, from, to }, resolution, bucketMs);
  return { from: Math.min(from, asked.from), to: Math.max(to, asked.to), resolution, bucketMs, points };
}

/** The hours in the range from the device's first rollup to its last, or null if there is none. */
async function extent(pool: Pool, { device, from, to }: SeriesQuery): Promise<{ from: EpochMs; to: EpochMs } | null> {
  const { rows } = await pool.query<{ first: Date | null; last: Date | null }>(
    `SELECT min(bucket) AS first, max(bucket) AS last FROM rollup_hour WHERE device_id = $1 AND bucket >= $2 AND bucket < $3`,
    [device, new Date(Math.floor(from / HOUR) * HOUR), new Date(to)],
  );
  const { first, last } = rows[0]!;
  return first && last && { from: first.getTime(), to: last.getTime() + HOUR };
}

/** Raw readings when all of them fit, else the rollup whose buckets are not much finer than a point is wide. */
async function fitting(pool: Pool, query: SeriesQuery): Promise<"raw" | "minute" | "hour"> {
  if ((await countUpTo(pool, query)) <= query.maxPoints) return "raw";
  return bucketWidth(query.from, query.to, query.maxPoints, MINUTE) % HOUR === 0 ? "hour" : "minute";
}

/** How many readings there are: exact up to `maxPoints` + 1 in a short range; in a long one those of whole hours. */
async function countUpTo(pool: Pool, { device, metric, from, to, maxPoints }: SeriesQuery): Promise<number> {
  const [text, values] =
    to - from <= COUNTED_UP_TO
      ? [
          `SELECT count(*)::float8 AS n FROM (
             SELECT 1 FROM sample
             WHERE device_id = $1 AND time >= $3 AND time < $4 AND array_position(metrics, $2) IS NOT NULL LIMIT $5) AS found`,
          [device, metric, new Date(from), new Date(to), maxPoints + 1],
        ]
      : [
          `SELECT coalesce(sum(counts[array_position(metrics, $2)]), 0)::float8 AS n
           FROM rollup_hour WHERE device_id = $1 AND bucket >= $3 AND bucket < $4`,
          [device, metric, new Date(Math.floor(from / HOUR) * HOUR), new Date(to)],
        ];
  return (await pool.query<{ n: number }>(text as string, values as unknown[])).rows[0]!.n;
}

/** The readings themselves; one more than `maxPoints` when there are more. */
async function rawPoints(pool: Pool, { device, metric, from, to, maxPoints }: SeriesQuery): Promise<SeriesPoint[]> {
  const { rows } = await pool.query<[Date, number]>({
    rowMode: "array",
    text: `SELECT time, values[array_position(metrics, $2)] FROM sample
           WHERE device_id = $1 AND time >= $3 AND time < $4 AND array_position(metrics, $2) IS NOT NULL
           ORDER BY time LIMIT $5`,
    values: [device, metric, new Date(from), new Date(to), maxPoints + 1],
  });
  return rows.map(([time, value]) => ({
    time: time.getTime(),
    count: 1,
    mean: value,
    min: value,
    max: value,
    last: value,
  }));
}

type PointRow = [time: number, count: number, mean: number, min: number, max: number, last: number];

/** OFFSET 0 keeps the inner query apart: merged into the outer one, the metric would be looked up for every aggregate. */
async function downsampled(
  pool: Pool,
  { device, metric, from, to }: SeriesQuery,
  bucketMs: number,
): Promise<SeriesPoint[]> {
  const { rows } = await pool.query<PointRow>({
    rowMode: "array",
    text: `WITH bucket AS (
             SELECT date_bin($5 * interval '1 ms', time, to_timestamp(0)) AS start, count(*)::float8 AS count, avg(value) AS mean,
               min(value) AS min, max(value) AS max, max(time) AS last_at
             FROM (
               SELECT time, values[array_position(metrics, $2)] AS value
               FROM sample WHERE device_id = $1 AND time >= $3 AND time < $4 OFFSET 0) AS reading
             WHERE value IS NOT NULL GROUP BY 1)
           SELECT extract(epoch FROM start)::float8 * 1000, count, mean, min, max,
             (SELECT values[array_position(metrics, $2)] FROM sample WHERE device_id = $1 AND time = last_at)
           FROM bucket ORDER BY start`,
    values: [device, metric, new Date(from), new Date(to), bucketMs],
  });
  return rows.map(toPoint);
}

async function mergedRollups(
  pool: Pool,
  { device, metric, from, to }: SeriesQuery,
  resolution: "minute" | "hour",
  bucketMs: number,
): Promise<SeriesPoint[]> {
  const table = `rollup_${resolution}`;
  const { rows } = await pool.query<PointRow>({
    rowMode: "array",
    text: `WITH merged AS (
             SELECT date_bin($5 * interval '1 ms', bucket, to_timestamp(0)) AS start, sum(counts[i])::float8 AS count,
               sum(sums[i]) / sum(counts[i]) AS mean, min(mins[i]) AS min, max(maxs[i]) AS max, max(bucket) AS last_bucket
             FROM (
               SELECT bucket, array_position(metrics, $2) AS i, counts, sums, mins, maxs
               FROM ${table} WHERE device_id = $1 AND bucket >= $3 AND bucket < $4 OFFSET 0) AS part
             WHERE i IS NOT NULL GROUP BY 1)
           SELECT extract(epoch FROM start)::float8 * 1000, count, mean, min, max,
             (SELECT lasts[array_position(metrics, $2)] FROM ${table} WHERE device_id = $1 AND bucket = last_bucket)
           FROM merged ORDER BY start`,
    values: [device, metric, new Date(from), new Date(to), bucketMs],
  });
  return rows.map(toPoint);
}

function toPoint([time, count, mean, min, max, last]: PointRow): SeriesPoint {
  return { time, count, mean, min, max, last };
}
