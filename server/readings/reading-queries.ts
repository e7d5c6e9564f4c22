import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { bucketWidth } from "@/server/domain/bucket-width";
import { LARGE_SUM, meanOfParts } from "@/server/domain/rollup";
import { withTransaction } from "@/server/postgres/transaction";

/** A stretch of one series: [from, to) in epoch milliseconds. */
export interface SeriesQuery {
  /** Only of a device at one of these: of another there is nothing. */
  readonly sites: Sites;
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
  /** The range the points cover. Buckets are whole, so this may reach beyond what was asked for. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly resolution: "raw" | "minute" | "hour";
  readonly bucketMs: number;
  readonly points: readonly SeriesPoint[];
  /** Event time of the newest reading counted; null when there is none. */
  readonly latest: EpochMs | null;
  /** Ingest time of the device's newest message when this was read: what came with or before it is counted. */
  readonly lastSeen: EpochMs | null;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Up to here raw readings are counted one by one; beyond, the hour rollups tell how many there are. */
const COUNTED_UP_TO = 6 * HOUR;
/** More readings than this are never read one by one to draw a line: rollups take over. */
const MOST_READ = { auto: 25_000, raw: 100_000 } as const;

/** Everything is read from one moment of the database, so that `latest` and `lastSeen` say exactly what is counted. */
const ONE_MOMENT = ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET LOCAL jit = off"] as const;

/** Reads a series with at most `maxPoints` points, keeping the extremes. Booleans are 0 and 1. */
export async function readSeries(pool: Pool, query: SeriesQuery): Promise<Series> {
  return withTransaction(
    pool,
    async (client) => {
      const device = await lookUp(client, query);
      const isHidden = device === null && query.sites !== "all";
      return { ...(isHidden ? nothing(query) : await read(client, query)), lastSeen: device?.at?.getTime() ?? null };
    },
    ONE_MOMENT,
  );
}

async function read(client: PoolClient, query: SeriesQuery): Promise<Omit<Series, "lastSeen">> {
  const held = await extent(client, query);
  if (held === null) return nothing(query);
  const asked = { from: query.from, to: query.to };
  // Widths are chosen for where there is data: a range of decades over a day of readings still shows the day.
  const within = { ...query, from: Math.max(query.from, held.from), to: Math.min(query.to, held.to) };
  const { resolution, bucketMs } = await fitting(client, within);
  if (bucketMs === 0) {
    const points = await rawPoints(client, within);
    return { ...asked, resolution, bucketMs, points, latest: points.at(-1)?.time ?? null };
  }
  if (resolution === "raw")
    return { ...asked, resolution, bucketMs, ...(await bucketsOfReadings(client, within, bucketMs)) };
  const from = Math.floor(within.from / bucketMs) * bucketMs;
  const to = Math.ceil(within.to / bucketMs) * bucketMs;
  const merged = await mergedRollups(client, { ...within, from, to }, resolution, bucketMs);
  return { from: Math.min(from, asked.from), to: Math.max(to, asked.to), resolution, bucketMs, ...merged };
}

/** When the device was last seen; null if there is none at these sites. */
async function lookUp(client: PoolClient, { device, sites }: SeriesQuery): Promise<{ at: Date | null } | null> {
  const [within, values] = sites === "all" ? ["", []] : ["AND site_id = ANY ($2::integer[])", [sites]];
  const { rows } = await client.query<{ at: Date | null }>(
    `SELECT last_seen AS at FROM device WHERE id = $1 ${within}`,
    [device, ...values],
  );
  return rows[0] ?? null;
}

function nothing({ from, to, resolution }: SeriesQuery): Omit<Series, "lastSeen"> {
  const asked = resolution === "auto" ? "raw" : resolution;
  return { from, to, resolution: asked, bucketMs: 0, points: [], latest: null };
}

/** The hours in the range from the device's first rollup to its last, or null if there is none. */
async function extent(
  client: PoolClient,
  { device, from, to }: SeriesQuery,
): Promise<{ from: EpochMs; to: EpochMs } | null> {
  const { rows } = await client.query<{ first: Date | null; last: Date | null }>(
    `SELECT min(bucket) AS first, max(bucket) AS last FROM rollup_hour WHERE device_id = $1 AND bucket >= $2 AND bucket < $3`,
    [device, new Date(Math.floor(from / HOUR) * HOUR), new Date(to)],
  );
  const { first, last } = rows[0]!;
  return first && last && { from: first.getTime(), to: last.getTime() + HOUR };
}

/** The source of the points, and their width (0: the readings themselves). */
async function fitting(
  client: PoolClient,
  query: SeriesQuery,
): Promise<{ resolution: "raw" | "minute" | "hour"; bucketMs: number }> {
  const { from, to, maxPoints, resolution } = query;
  const rollups = (resolution: "minute" | "hour") => {
    const bucketMs = bucketWidth(from, to, maxPoints, resolution === "hour" ? HOUR : MINUTE);
    return { resolution, bucketMs };
  };
  if (resolution === "minute" || resolution === "hour") return rollups(resolution);
  const most = MOST_READ[resolution];
  const count = await countUpTo(client, query, most + 1);
  if (count <= maxPoints) return { resolution: "raw", bucketMs: 0 };
  // Rollups hold the same figures from a minute on, and hundreds of rows instead of millions.
  const fine = bucketWidth(from, to, maxPoints, 1);
  if (fine < MINUTE && count <= most) return { resolution: "raw", bucketMs: fine };
  return rollups(bucketWidth(from, to, maxPoints, MINUTE) % HOUR === 0 ? "hour" : "minute");
}

/** Counts the readings: exactly up to `most` in a short range; in a long one those of whole hours. */
async function countUpTo(client: PoolClient, { device, metric, from, to }: SeriesQuery, most: number): Promise<number> {
  const [text, values] =
    to - from <= COUNTED_UP_TO
      ? [
          `SELECT count(*)::float8 AS n FROM (
             SELECT 1 FROM sample
             WHERE device_id = $1 AND time >= $3 AND time < $4 AND array_position(metrics, $2) IS NOT NULL LIMIT $5) AS found`,
          [device, metric, new Date(from), new Date(to), most],
        ]
      : [
          `SELECT coalesce(sum(counts[array_position(metrics, $2)]), 0)::float8 AS n
           FROM rollup_hour WHERE device_id = $1 AND bucket >= $3 AND bucket < $4`,
          [device, metric, new Date(Math.floor(from / HOUR) * HOUR), new Date(to)],
        ];
  return (await client.query<{ n: number }>(text as string, values as unknown[])).rows[0]!.n;
}

/** The readings themselves, when they are known to be few. */
async function rawPoints(client: PoolClient, { device, metric, from, to }: SeriesQuery): Promise<SeriesPoint[]> {
  const { rows } = await client.query<[Date, number]>({
    rowMode: "array",
    text: `SELECT time, values[array_position(metrics, $2)] FROM sample
           WHERE device_id = $1 AND time >= $3 AND time < $4 AND array_position(metrics, $2) IS NOT NULL
           ORDER BY time`,
    values: [device, metric, new Date(from), new Date(to)],
  });
  return rows.map(([time, value]) => {
    return { time: time.getTime(), count: 1, mean: value, min: value, max: value, last: value };
  });
}

type PointRow = [
  time: number,
  count: number,
  sum: number | null,
  large: number | null,
  min: number,
  max: number,
  last: number,
  lastAt: number,
];
type Points = Pick<Series, "points" | "latest">;

/**
 * The largest value added up as it is; larger ones are added times LARGE_SUM, since PostgreSQL fails where a sum or
 * product leaves the doubles.
 */
const ADDED_UP_TO = 1e290;

/** OFFSET 0 keeps the inner query apart: merged into the outer one, the metric would be looked up for every aggregate. */
async function bucketsOfReadings(
  client: PoolClient,
  { device, metric, from, to }: SeriesQuery,
  bucketMs: number,
): Promise<Points> {
  const { rows } = await client.query<PointRow>({
    rowMode: "array",
    text: `WITH bucket AS (
             SELECT date_bin($5 * interval '1 ms', time, to_timestamp(0)) AS start, count(*)::float8 AS count,
               sum(value) FILTER (WHERE abs(value) <= $6) AS sum, sum(value * $7::float8) FILTER (WHERE abs(value) > $6) AS large,
               min(value) AS min, max(value) AS max, max(time) AS last_at
             FROM (
               SELECT time, values[array_position(metrics, $2)] AS value
               FROM sample WHERE device_id = $1 AND time >= $3 AND time < $4 OFFSET 0) AS reading
             WHERE value IS NOT NULL GROUP BY 1)
           SELECT (extract(epoch FROM start) * 1000)::float8, count, sum, large, min, max,
             (SELECT values[array_position(metrics, $2)] FROM sample WHERE device_id = $1 AND time = last_at),
             (extract(epoch FROM last_at) * 1000)::float8
           FROM bucket ORDER BY start`,
    values: [device, metric, new Date(from), new Date(to), bucketMs, ADDED_UP_TO, LARGE_SUM],
  });
  return toPoints(rows);
}

async function mergedRollups(
  client: PoolClient,
  { device, metric, from, to }: SeriesQuery,
  resolution: "minute" | "hour",
  bucketMs: number,
): Promise<Points> {
  const table = `rollup_${resolution}`;
  const { rows } = await client.query<PointRow>({
    rowMode: "array",
    text: `WITH merged AS (
             SELECT date_bin($5 * interval '1 ms', bucket, to_timestamp(0)) AS start, sum(counts[i])::float8 AS count,
               sum(sums[i]) FILTER (WHERE NOT is_large AND abs(sums[i]) <= $6) AS sum,
               sum(CASE WHEN is_large THEN sums[i] ELSE sums[i] * $7::float8 END) FILTER (WHERE is_large OR abs(sums[i]) > $6) AS large,
               min(mins[i]) AS min, max(maxs[i]) AS max, max(bucket) AS last_bucket
             FROM (
               SELECT bucket, array_position(metrics, $2) AS i, counts, sums, mins, maxs
               FROM ${table} WHERE device_id = $1 AND bucket >= $3 AND bucket < $4 OFFSET 0) AS part
             CROSS JOIN LATERAL (
               SELECT greatest(abs(mins[i]), abs(maxs[i])) > $8::float8 / counts[i] AS is_large) AS kept
             WHERE i IS NOT NULL GROUP BY 1)
           SELECT (extract(epoch FROM start) * 1000)::float8, count, sum, large, min, max, lasts[j],
             (extract(epoch FROM last_bucket) * 1000)::float8 + last_at[j]
           FROM merged
           CROSS JOIN LATERAL (
             SELECT lasts, last_at, array_position(metrics, $2) AS j
             FROM ${table} WHERE device_id = $1 AND bucket = last_bucket OFFSET 0) AS newest
           ORDER BY start`,
    values: [device, metric, new Date(from), new Date(to), bucketMs, ADDED_UP_TO, LARGE_SUM, Number.MAX_VALUE / 2],
  });
  return toPoints(rows);
}

function toPoints(rows: readonly PointRow[]): Points {
  return {
    points: rows.map(([time, count, sum, large, min, max, last]) => {
      return { time, count, mean: meanOfParts(count, sum ?? 0, large ?? 0, min, max), min, max, last };
    }),
    latest: rows.at(-1)?.[7] ?? null,
  };
}
