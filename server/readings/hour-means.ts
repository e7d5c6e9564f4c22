import type { Pool, PoolClient } from "pg";
import { meanOf } from "@/server/domain/rollup";
import type { EpochMs } from "@/server/domain/terms";

/** What a series of numbers was in a merged hour. */
export interface SeriesHour {
  readonly device: number;
  readonly metric: number;
  /** Its begin. */
  readonly time: EpochMs;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** Reads the hours of devices' series of numbers within [from, to) that are merged, by time. */
export async function readSeriesHours(
  db: Pool | PoolClient,
  devices: readonly number[],
  from: EpochMs,
  to: EpochMs,
): Promise<SeriesHour[]> {
  const { rows } = await db.query<[number, number, number, number, number, number, number]>({
    rowMode: "array",
    text: `SELECT r.device_id, v.metric_id, (extract(epoch FROM r.bucket) * 1000)::float8, v.n, v.sum, v.min, v.max
     FROM rollup_hour r CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.sums, r.mins, r.maxs) AS v (metric_id, n, sum, min, max)
     JOIN metric m ON m.id = v.metric_id AND m.kind = 'number'
     WHERE r.device_id = ANY ($1::integer[]) AND r.bucket >= $2 AND r.bucket < $3 AND v.n > 0 ORDER BY r.bucket`,
    values: [devices, new Date(from), new Date(to)],
  });
  return rows.map(([device, metric, time, count, sum, min, max]) => {
    return { device, metric, time, count, mean: meanOf(count, sum, min, max), min, max };
  });
}
