import type { PoolClient } from "pg";
import { LARGE_SUM } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";
import { ADDED_UP_TO, type BucketPart } from "./buckets";

/** Rollups of one metric within [from, to) that are to be made buckets of `bucketMs`, a multiple of their own width. */
export interface RollupQuery {
  readonly source: "minute" | "hour";
  readonly devices: readonly number[];
  readonly metric: number;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly bucketMs: number;
}

/** A part of a bucket of a device. */
export interface DevicePart extends BucketPart {
  readonly device: number;
}

/** Reads the rollups that are kept, those of a device within one bucket made one. PostgreSQL fails where a sum or product leaves the doubles. */
export async function readMergedRollups(
  client: PoolClient,
  { source, devices, metric, from, to, bucketMs }: RollupQuery,
): Promise<DevicePart[]> {
  const table = `rollup_${source}`;
  const { rows } = await client.query<[number, number, number, number, number, number, number, number, number]>({
    rowMode: "array",
    // OFFSET 0 keeps the inner query apart: merged into the outer one, the metric would be looked up for every aggregate.
    text: `WITH merged AS (
       SELECT device_id AS device, date_bin($5 * interval '1 ms', bucket, to_timestamp(0)) AS start, sum(counts[i])::float8 AS count,
         sum(sums[i]) FILTER (WHERE NOT is_large AND abs(sums[i]) <= $6) AS sum,
         sum(CASE WHEN is_large THEN sums[i] ELSE sums[i] * $7::float8 END) FILTER (WHERE is_large OR abs(sums[i]) > $6) AS large,
         min(mins[i]) AS min, max(maxs[i]) AS max, max(bucket) AS last_bucket
       FROM (
         SELECT device_id, bucket, array_position(metrics, $2) AS i, counts, sums, mins, maxs
         FROM ${table} WHERE device_id = ANY ($1::integer[]) AND bucket >= $3 AND bucket < $4 OFFSET 0) AS part
       CROSS JOIN LATERAL (
         SELECT greatest(abs(mins[i]), abs(maxs[i])) > $8::float8 / counts[i] AS is_large) AS kept
       WHERE i IS NOT NULL GROUP BY 1, 2)
     SELECT device, (extract(epoch FROM start) * 1000)::float8, count, coalesce(sum, 0), coalesce(large, 0), min, max,
       lasts[j], (extract(epoch FROM last_bucket) * 1000)::float8 + last_at[j]
     FROM merged CROSS JOIN LATERAL (
       SELECT lasts, last_at, array_position(metrics, $2) AS j
       FROM ${table} WHERE device_id = device AND bucket = last_bucket OFFSET 0) AS newest`,
    values: [devices, metric, new Date(from), new Date(to), bucketMs, ADDED_UP_TO, LARGE_SUM, Number.MAX_VALUE / 2],
  });
  return rows.map(([device, time, count, sum, large, min, max, last, lastAt]) => {
    return { device, time, count, sum, large, min, max, last, lastAt };
  });
}
