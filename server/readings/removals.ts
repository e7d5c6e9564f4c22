import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { COLUMNS, writeRollups } from "./rollups";

const HOUR = 3_600_000;
/** Hours taken together, within a week: at a reading a second they are rewritten in a second or so. */
const HOURS = 24;
const SPAN = 7 * 24 * HOUR;
/** Rows of a device removed at a time. */
const ROWS = 5000;

/** A metric whose readings are taken away, and the one that gets them, or null. */
interface Removed {
  readonly metric: number;
  readonly into: number | null;
}

/**
 * Takes the next hours of a metric out of a device's readings and rollups, or gives them to another metric: where that has a value
 * already, its own stays. The rollups equal a recount after each call. The device's row is locked, and nothing new comes of the metric.
 * @returns the readings taken; 0: there are none left.
 */
export async function takeMetric(tx: PoolClient, device: number, { metric, into }: Removed): Promise<number> {
  const { rows: hours } = await tx.query<{ bucket: Date }>(
    `SELECT bucket FROM rollup_hour WHERE device_id = $1 AND metrics @> ARRAY[$2::integer] ORDER BY bucket LIMIT ${HOURS}`,
    [device, metric],
  );
  if (hours.length === 0) return 0;
  const from = hours[0]!.bucket;
  const within = hours.map(({ bucket }) => bucket).filter((bucket) => bucket.getTime() < from.getTime() + SPAN);
  const span = [device, from, new Date(within.at(-1)!.getTime() + HOUR)];
  if (into !== null)
    await tx.query(
      `UPDATE sample SET metrics = array_replace(metrics, $4::integer, $5::integer) WHERE device_id = $1 AND time >= $2 AND time < $3
         AND metrics @> ARRAY[$4::integer] AND NOT metrics @> ARRAY[$5::integer]`,
      [...span, metric, into],
    );
  const { rows: counted } = await tx.query<{ count: number }>(
    `SELECT coalesce(sum(counts[array_position(metrics, $4)]), 0)::float8 AS count FROM rollup_hour
     WHERE device_id = $1 AND bucket >= $2 AND bucket < $3 AND metrics @> ARRAY[$4::integer]`,
    [...span, metric],
  );
  await strip(tx, "sample", "time", ["metrics", "values"], metric, span);
  for (const table of ["rollup_minute", "rollup_hour"]) await strip(tx, table, "bucket", COLUMNS, metric, span);
  if (into !== null) await recount(tx, device, into, within, span);
  return counted[0]!.count;
}

/** Takes a metric's element out of every array of the rows in a span, and away with those that held nothing else. */
async function strip(
  tx: PoolClient,
  table: string,
  key: string,
  columns: readonly string[],
  metric: number,
  span: readonly unknown[],
  hours: readonly Date[] | null = null,
): Promise<void> {
  const where = `device_id = $1 AND ${key} >= $2 AND ${key} < $3 AND metrics @> ARRAY[$4::integer]
    AND ($5::timestamptz[] IS NULL OR date_trunc('hour', ${key}, 'UTC') = ANY ($5))`;
  const values = [...span, metric, hours];
  await tx.query(`DELETE FROM ${table} WHERE ${where} AND cardinality(metrics) = 1`, values);
  const at = "array_position(metrics, $4::integer)";
  const without = columns.map((column) => `${column} = ${column}[:${at} - 1] || ${column}[${at} + 1:]`);
  await tx.query(`UPDATE ${table} SET ${without.join(", ")} WHERE ${where}`, values);
}

/** Makes a metric's rollups of some hours again, from the readings. */
async function recount(
  tx: PoolClient,
  device: number,
  metric: number,
  hours: readonly Date[],
  span: readonly unknown[],
): Promise<void> {
  for (const table of ["rollup_minute", "rollup_hour"]) await strip(tx, table, "bucket", COLUMNS, metric, span, hours);
  const { rows } = await tx.query<{ time: number; value: number }>(
    `SELECT (extract(epoch FROM time) * 1000)::float8 AS time, values[array_position(metrics, $4)] AS value FROM sample
     WHERE device_id = $1 AND time >= $2 AND time < $3 AND metrics @> ARRAY[$4::integer]
       AND date_trunc('hour', time, 'UTC') = ANY ($5::timestamptz[]) ORDER BY time`,
    [...span, metric, hours],
  );
  const samples = rows.map(({ time, value }) => ({ deviceId: device, time, metrics: [metric], values: [value] }));
  const anyTime: EpochMs = 8.64e15;
  await writeRollups(tx, samples, new Map([[device, anyTime]]));
}

/** Removes the next rows of a device that is in the catalog no more. @returns how many rows, and how many readings they held. */
export async function takeDevice(tx: PoolClient, device: number): Promise<{ rows: number; readings: number }> {
  let total = 0;
  let readings = 0;
  for (const [table, key] of [
    ["sample", "time"],
    ["rollup_minute", "bucket"],
    ["rollup_hour", "bucket"],
  ] as const) {
    const { rows } = await tx.query<{ rows: number; readings: number }>(
      `WITH part AS (SELECT max(${key}) AS last FROM (
         SELECT ${key} FROM ${table} WHERE device_id = $1 ORDER BY ${key} LIMIT ${ROWS}) AS first),
       gone AS (DELETE FROM ${table} WHERE device_id = $1 AND ${key} <= (SELECT last FROM part) RETURNING cardinality(metrics) AS n)
       SELECT count(*)::integer AS rows, coalesce(sum(n), 0)::float8 AS readings FROM gone`,
      [device],
    );
    total += rows[0]!.rows;
    if (table === "sample") readings = rows[0]!.readings;
  }
  return { rows: total, readings };
}

/** The latest reading of a metric at some devices that are in the catalog, by the device's name. */
export async function latestReadings(
  tx: PoolClient,
  metric: number,
  devices: readonly string[],
): Promise<{ device: string; time: EpochMs; value: number }[]> {
  const { rows } = await tx.query<{ device: string; time: EpochMs; value: number }>(
    `SELECT d.name AS device, (extract(epoch FROM s.time) * 1000)::float8 AS time, s.value FROM device d
     CROSS JOIN LATERAL (
       SELECT time, values[array_position(metrics, $1::integer)] AS value FROM sample
       WHERE device_id = d.id AND metrics @> ARRAY[$1::integer] ORDER BY time DESC LIMIT 1) AS s
     WHERE d.name = ANY ($2::text[])`,
    [metric, devices],
  );
  return rows;
}
