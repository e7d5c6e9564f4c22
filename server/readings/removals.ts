import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { Conflict } from "@/server/ports/commit-batch";
import { partOf } from "./block-changes";
import type { Block } from "./blocks";
import type { ColdReader } from "./cold/reader";
import { rewriteHour } from "./hours";
import { COLUMNS } from "./rollups";
import { readSeriesEdges } from "./series-edges";

/** Hours taken in one call: at a reading a second they are rewritten in a second or so. */
const HOURS = 24;
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
 * @returns how many readings were taken (0: there are none left), and those that met another value.
 */
export async function takeMetric(
  tx: PoolClient,
  device: number,
  removed: Removed,
  cold?: ColdReader,
): Promise<{ taken: number; conflicts: readonly Conflict[] }> {
  const { rows: hours } = await tx.query<{ hour: Date; hasReadings: boolean; count: number }>(
    `WITH rolled AS (
       SELECT bucket AS hour, counts[array_position(metrics, $2::integer)] AS count FROM rollup_hour
       WHERE device_id = $1 AND metrics @> ARRAY[$2::integer] ORDER BY bucket LIMIT ${HOURS}),
     others AS (
       SELECT DISTINCT date_trunc('hour', s.time, 'UTC') AS hour, 0 AS count FROM device d JOIN sample s ON s.device_id = d.id
       WHERE d.id = $1 AND s.time >= coalesce(d.rolled_until, '-infinity') AND s.metrics @> ARRAY[$2::integer]
       UNION ALL
       SELECT l.hour, 0 FROM late_hour l WHERE l.device_id = $1)
     SELECT hour, max(count)::float8 AS count, EXISTS (
         SELECT FROM sample s WHERE s.device_id = $1 AND s.time >= hour AND s.time < hour + interval '1 hour'
           AND s.metrics @> ARRAY[$2::integer]) AS "hasReadings"
     FROM (TABLE rolled UNION ALL TABLE others) AS found GROUP BY hour ORDER BY hour`,
    [device, removed.metric],
  );
  const { into } = removed;
  const edge = into === null ? undefined : (await readSeriesEdges(tx, [device], 0)).get(device)?.get(into);
  let taken = 0;
  const conflicts: Conflict[] = [];
  for (const { hour, hasReadings, count } of hours.filter((one) => one.hasReadings || one.count > 0).slice(0, HOURS)) {
    if (!hasReadings) {
      await stripRollups(tx, device, removed.metric, hour);
      taken += count;
      continue;
    }
    await rewriteHour(
      tx,
      device,
      hour.getTime(),
      (readings) => {
        taken += countOf(readings, removed.metric);
        // What a rule has removed of the other metric doesn't come back by this one.
        const isGone = edge !== undefined && hour.getTime() < edge;
        if (into !== null && !isGone) conflicts.push(...conflictsIn(readings, removed.metric, into));
        return withoutMetric(readings, isGone ? { ...removed, into: null } : removed);
      },
      cold,
    );
  }
  return { taken, conflicts };
}

/** The readings of a metric that another one has with another value. */
function conflictsIn({ device, times, metrics, values }: Block, metric: number, into: number): Conflict[] {
  const [from, to] = [metrics.indexOf(metric), metrics.indexOf(into)];
  if (from < 0 || to < 0) return [];
  const conflicts: Conflict[] = [];
  for (const [i, time] of times.entries()) {
    const [refused, kept] = [values[from * times.length + i]!, values[to * times.length + i]!];
    if (!Number.isNaN(refused) && !Number.isNaN(kept) && kept !== refused)
      conflicts.push({ deviceId: device, metric: into, time, kept, refused });
  }
  return conflicts;
}

function countOf({ times, metrics, values }: Block, metric: number): number {
  const m = metrics.indexOf(metric);
  if (m < 0) return 0;
  return values.subarray(m * times.length, (m + 1) * times.length).reduce((n, v) => (Number.isNaN(v) ? n : n + 1), 0);
}

/** A block whose metric is gone, or gave its values to another where that had none. */
function withoutMetric({ device, times, metrics, values }: Block, { metric, into }: Removed): Block | null {
  const length = times.length;
  const columns = new Map(metrics.map((one, m) => [one, values.slice(m * length, (m + 1) * length)]));
  const own = columns.get(metric);
  columns.delete(metric);
  if (into !== null && own) {
    const kept = columns.get(into);
    columns.set(into, kept ? kept.map((value, i) => (Number.isNaN(value) ? own[i]! : value)) : own);
  }
  const left = [...columns.keys()].sort((a, b) => a - b);
  const whole = new Float64Array(left.length * length);
  for (const [m, one] of left.entries()) whole.set(columns.get(one)!, m * length);
  const isThere = (i: number) => left.some((_, m) => !Number.isNaN(whole[m * length + i]!));
  return partOf({ device, times, metrics: left, values: whole }, isThere);
}

/** Takes a metric out of an hour's rollups whose readings aren't there any more. */
async function stripRollups(tx: PoolClient, device: number, metric: number, hour: Date): Promise<void> {
  for (const table of ["rollup_minute", "rollup_hour"]) {
    const where = `device_id = $1 AND bucket >= $2 AND bucket < $2::timestamptz + interval '1 hour' AND metrics @> ARRAY[$3::integer]`;
    const values = [device, hour, metric];
    await tx.query(`DELETE FROM ${table} WHERE ${where} AND cardinality(metrics) = 1`, values);
    const at = "array_position(metrics, $3::integer)";
    const without = COLUMNS.map((column) => `${column} = ${column}[:${at} - 1] || ${column}[${at} + 1:]`);
    await tx.query(`UPDATE ${table} SET ${without.join(", ")} WHERE ${where}`, values);
  }
}

/** Removes the next rows of a device that is in the catalog no more. @returns how many rows, and how many readings they held. */
export async function takeDevice(tx: PoolClient, device: number): Promise<{ rows: number; readings: number }> {
  let total = 0;
  let readings = 0;
  // The rows stay in files of cold storage until the job that moves months writes these anew; nobody reads them any more.
  const { rows: cold } = await tx.query<{ rows: number; readings: number }>(
    `WITH gone AS (DELETE FROM cold_device WHERE device_id = $1 RETURNING rows, (SELECT sum(n) FROM unnest(counts) AS n) AS readings)
     SELECT coalesce(sum(rows), 0)::float8 AS rows, coalesce(sum(readings), 0)::float8 AS readings FROM gone`,
    [device],
  );
  total += cold[0]!.rows;
  readings += cold[0]!.readings;
  for (const [table, key, count] of [
    ["sample", "time", "cardinality(array_remove(values, NULL))"],
    ["rollup_minute", "bucket", "0"],
    ["rollup_hour", "bucket", "0"],
    ["text_run", "from_time", "0"],
  ] as const) {
    const { rows } = await tx.query<{ rows: number; readings: number }>(
      `WITH part AS (SELECT max(${key}) AS last FROM (
         SELECT ${key} FROM ${table} WHERE device_id = $1 ORDER BY ${key} LIMIT ${ROWS}) AS first),
       gone AS (DELETE FROM ${table} WHERE device_id = $1 AND ${key} <= (SELECT last FROM part) RETURNING ${count} AS n)
       SELECT count(*)::integer AS rows, coalesce(sum(n), 0)::float8 AS readings FROM gone`,
      [device],
    );
    total += rows[0]!.rows;
    readings += rows[0]!.readings;
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
       SELECT date_trunc('hour', time, 'UTC') AS start FROM sample
       WHERE device_id = d.id AND metrics @> ARRAY[$1::integer] ORDER BY time DESC LIMIT 1) AS hour
     CROSS JOIN LATERAL (
       SELECT r.time, r.value FROM stored_reading r
       WHERE r.device_id = d.id AND r.metric_id = $1 AND r.block >= hour.start AND r.block < hour.start + interval '1 hour'
       ORDER BY r.time DESC LIMIT 1) AS s
     WHERE d.name = ANY ($2::text[])`,
    [metric, devices],
  );
  return rows;
}
