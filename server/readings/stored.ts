import type { Pool, PoolClient } from "pg";
import { errorCode } from "@/server/postgres/start-error";
import { withTransaction } from "@/server/postgres/transaction";

/** SQLSTATE of a statement that took longer than it may. */
const CANCELLED = "57014";

/** Counts the readings of a metric (by its key) and the devices that have any, from the hours' rollups, and from the readings of hours without; null when that takes longer than `patienceMs`. */
export async function countStored(
  pool: Pool,
  metric: number,
  patienceMs: number,
): Promise<{ devices: number; readings: number } | null> {
  return patiently(pool, patienceMs, async (tx) => {
    const { rows } = await tx.query<{ devices: number; readings: number }>(
      `SELECT count(DISTINCT device_id) AS devices, coalesce(sum(n), 0)::float8 AS readings FROM (
           SELECT device_id, counts[array_position(metrics, $1)] AS n FROM rollup_hour WHERE metrics @> ARRAY[$1::integer]
           UNION ALL
           SELECT d.id, s.n FROM device d CROSS JOIN LATERAL (
             SELECT count(*) AS n FROM stored_reading
             WHERE device_id = d.id AND metric_id = $1 AND block >= coalesce(d.rolled_until, '-infinity') OFFSET 0) AS s
           WHERE s.n > 0
           UNION ALL
           SELECT l.device_id, s.n FROM late_hour l CROSS JOIN LATERAL (
             SELECT count(*) AS n FROM stored_reading
             WHERE device_id = l.device_id AND metric_id = $1 AND block >= l.hour AND block < l.hour + interval '1 hour' OFFSET 0) AS s
           WHERE s.n > 0) AS held`,
      [metric],
    );
    return rows[0]!;
  });
}

/** Counts the readings of devices (by their keys), in the same way; null when that takes longer than `patienceMs`. */
export async function countStoredOf(
  pool: Pool,
  devices: readonly number[],
  patienceMs: number,
): Promise<number | null> {
  return patiently(pool, patienceMs, async (tx) => {
    const { rows } = await tx.query<{ readings: number }>(
      `SELECT coalesce(sum(n), 0)::float8 AS readings FROM (
           SELECT (SELECT sum(c) FROM unnest(counts) AS c) AS n FROM rollup_hour WHERE device_id = ANY ($1::integer[])
           UNION ALL
           SELECT s.n FROM device d CROSS JOIN LATERAL (
             SELECT count(*) AS n FROM stored_reading
             WHERE device_id = d.id AND block >= coalesce(d.rolled_until, '-infinity') OFFSET 0) AS s
           WHERE d.id = ANY ($1::integer[])
           UNION ALL
           SELECT s.n FROM late_hour l CROSS JOIN LATERAL (
             SELECT count(*) AS n FROM stored_reading
             WHERE device_id = l.device_id AND block >= l.hour AND block < l.hour + interval '1 hour' OFFSET 0) AS s
           WHERE l.device_id = ANY ($1::integer[])) AS held`,
      [devices],
    );
    return rows[0]!.readings;
  });
}

/** What `count` finds; null when it takes too long. */
async function patiently<T>(pool: Pool, patienceMs: number, count: (tx: PoolClient) => Promise<T>): Promise<T | null> {
  const limit = `SET LOCAL statement_timeout = ${Math.round(patienceMs)}`;
  try {
    return await withTransaction(pool, count, [limit]);
  } catch (error) {
    if (errorCode(error) === CANCELLED) return null;
    throw error;
  }
}

/** Counts all readings in PostgreSQL, one by one. */
export async function countReadings(tx: PoolClient): Promise<number> {
  const { rows } = await tx.query<{ n: number }>("SELECT count(*) AS n FROM reading");
  return rows[0]!.n;
}
