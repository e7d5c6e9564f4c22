import type { Pool, PoolClient } from "pg";
import { errorCode } from "@/server/postgres/start-error";
import { withTransaction } from "@/server/postgres/transaction";

/** SQLSTATE of a statement that took longer than it may. */
const CANCELLED = "57014";

/** Counts the readings of a metric (by its key) and the devices that have any, from the hours' rollups; null when that takes longer than `patienceMs`. */
export async function countStored(
  pool: Pool,
  metric: number,
  patienceMs: number,
): Promise<{ devices: number; readings: number } | null> {
  const counting = withTransaction(
    pool,
    async (tx) => {
      const { rows } = await tx.query<{ devices: number; readings: number }>(
        `SELECT count(DISTINCT device_id) AS devices, coalesce(sum(counts[array_position(metrics, $1)]), 0)::float8 AS readings
         FROM rollup_hour WHERE metrics @> ARRAY[$1::integer]`,
        [metric],
      );
      return rows[0]!;
    },
    [`SET LOCAL statement_timeout = ${Math.round(patienceMs)}`],
  );
  return counting.catch((error: unknown) => {
    if (errorCode(error) === CANCELLED) return null;
    throw error;
  });
}

/** Counts all readings in PostgreSQL, one by one. */
export async function countReadings(tx: PoolClient): Promise<number> {
  const { rows } = await tx.query<{ n: number }>("SELECT count(*) AS n FROM reading");
  return rows[0]!.n;
}
