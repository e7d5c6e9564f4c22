import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";

/** The readings of a series within a stretch. */
export interface ReceivedSeries {
  readonly device: number;
  readonly metric: number;
  readonly readings: number;
  /** Event time of the first of them, or a little before it. */
  readonly first: EpochMs;
}

const HOUR_MS = 3_600_000;

/**
 * Counts the readings of devices' series within [from, to), `from` a whole hour: those of merged hours by their rollups, the others by their
 * blocks. Of a merged hour that `to` lies in, all are counted.
 */
export async function countReceived(
  db: Pool | PoolClient,
  devices: readonly number[],
  from: EpochMs,
  to: EpochMs,
): Promise<ReceivedSeries[]> {
  const { rows } = await db.query<ReceivedSeries>(
    `SELECT device_id AS device, metric_id AS metric, sum(n)::float8 AS readings, (extract(epoch FROM min(first)) * 1000)::float8 AS first FROM (
       SELECT r.device_id, v.metric_id, r.bucket + v.at * interval '1 ms' AS first, v.n
       FROM rollup_hour r CROSS JOIN LATERAL unnest(r.metrics, r.counts, r.first_at) AS v (metric_id, n, at)
       WHERE r.device_id = ANY ($1::integer[]) AND r.bucket >= $2 AND r.bucket < $3
       UNION ALL
       SELECT s.device_id, v.metric_id, s.time - coalesce(s.offsets[1], 0) * interval '1 ms',
         CASE WHEN s.time < $3 THEN k.moments - cardinality(array_positions(s.values[(v.i - 1) * k.moments + 1 : v.i * k.moments], NULL))
         ELSE (SELECT count(*) FROM unnest(coalesce(s.offsets, ARRAY[0]), s.values[(v.i - 1) * k.moments + 1 : v.i * k.moments]) AS m (o, value)
           WHERE value IS NOT NULL AND s.time - o * interval '1 ms' < $3) END
       FROM device d
       JOIN sample s ON s.device_id = d.id AND s.time >= greatest($2, d.rolled_until) AND s.time >= $2 AND s.time < $4
       CROSS JOIN LATERAL (SELECT coalesce(cardinality(s.offsets), 1) AS moments) AS k
       CROSS JOIN LATERAL unnest(s.metrics) WITH ORDINALITY AS v (metric_id, i)
       WHERE d.id = ANY ($1::integer[])
     ) AS counted WHERE n > 0 GROUP BY 1, 2`,
    // A block lies within one hour, by the time of its last reading.
    [devices, new Date(from), new Date(to), new Date(Math.ceil(to / HOUR_MS) * HOUR_MS)],
  );
  return rows;
}
