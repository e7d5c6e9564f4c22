import type { Pool, PoolClient } from "pg";
import { errorCode } from "@/server/postgres/start-error";
import { withTransaction } from "@/server/postgres/transaction";

/** SQLSTATE of a statement that took longer than it may. */
const CANCELLED = "57014";
/** Time to write one hour of one device anew: taken on the slow side, not measured. */
const MS_AN_HOUR = 5;

/** What giving a metric's readings to another one would touch. Null: counting took too long. */
export interface MergeEffects {
  /** Devices with readings of both. */
  readonly both: number | null;
  /** Readings that meet one of the same device and time: with the same value, and with another, which stays. */
  readonly repeats: number | null;
  readonly conflicts: number | null;
  /** Days of readings in cold storage that are brought back first. */
  readonly coldDays: number | null;
  readonly seconds: number | null;
}

/** Counts what giving one metric's readings to another would touch. @param patienceMs of each of three questions */
export async function countMergeEffects(
  pool: Pool,
  metric: number,
  into: number,
  patienceMs: number,
): Promise<MergeEffects> {
  const ask = <T>(work: (tx: PoolClient) => Promise<T>) => patiently(pool, patienceMs, work);
  const [met, coldDays, hours] = await Promise.all([
    ask((tx) => countMet(tx, metric, into)),
    ask((tx) => countColdDays(tx, metric)),
    ask((tx) => countHours(tx, metric)),
  ]);
  return {
    ...{ both: met?.both ?? null, repeats: met?.repeats ?? null, conflicts: met?.conflicts ?? null, coldDays },
    seconds: hours === null ? null : Math.ceil((hours * MS_AN_HOUR) / 1000),
  };
}

/** Counts the readings of a metric that are neither 0 nor 1, and the devices that have any; null when that takes too long. */
export function countOtherThanBoolean(
  pool: Pool,
  metric: number,
  patienceMs: number,
): Promise<{ devices: number; readings: number } | null> {
  return patiently(pool, patienceMs, async (tx) => {
    const { rows } = await tx.query<{ devices: number; readings: number }>(
      `SELECT count(DISTINCT device_id)::int AS devices, count(*)::float8 AS readings
       FROM stored_reading WHERE metric_id = $1 AND value NOT IN (0, 1)`,
      [metric],
    );
    return rows[0]!;
  });
}

async function countMet(tx: PoolClient, metric: number, into: number) {
  const { rows } = await tx.query<{ both: number; repeats: number; conflicts: number }>(
    `WITH shared AS (
       SELECT a.device_id FROM device_metric a JOIN device_metric b USING (device_id) WHERE a.metric_id = $1 AND b.metric_id = $2)
     SELECT (SELECT count(*) FROM shared)::int AS both, (count(*) FILTER (WHERE own.value = other.value))::float8 AS repeats,
       (count(*) FILTER (WHERE own.value <> other.value))::float8 AS conflicts
     FROM shared JOIN stored_reading own ON own.device_id = shared.device_id AND own.metric_id = $1
     JOIN stored_reading other ON other.device_id = shared.device_id AND other.metric_id = $2 AND other.block = own.block AND other.time = own.time`,
    [metric, into],
  );
  return rows[0]!;
}

async function countColdDays(tx: PoolClient, metric: number): Promise<number> {
  const { rows } = await tx.query<{ days: number }>(
    `SELECT count(DISTINCT day)::int AS days FROM cold_device d JOIN cold_file f ON f.id = d.file_id AND f.state = 'kept'
     CROSS JOIN LATERAL generate_series(date_trunc('day', d.min_time, 'UTC'), d.max_time, '1 day') AS day
     WHERE d.counts[array_position(f.metrics, $1::integer)] > 0`,
    [metric],
  );
  return rows[0]!.days;
}

/** Hours of devices that have it; those without rollups as yet are few. */
async function countHours(tx: PoolClient, metric: number): Promise<number> {
  const { rows } = await tx.query<{ hours: number }>(
    `SELECT count(*)::float8 AS hours FROM rollup_hour WHERE metrics @> ARRAY[$1::integer]`,
    [metric],
  );
  return rows[0]!.hours;
}

function patiently<T>(pool: Pool, ms: number, work: (tx: PoolClient) => Promise<T>): Promise<T | null> {
  return withTransaction(pool, work, [`SET LOCAL statement_timeout = ${Math.round(ms)}`]).catch((error: unknown) => {
    if (errorCode(error) === CANCELLED) return null;
    throw error;
  });
}
