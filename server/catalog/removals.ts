import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs, MetricKind } from "@/server/domain/terms";
import { findByAlias, keepAlias, takeAlias } from "./aliases";
import { DISCOVERY_LOCK } from "./catalog-writes";
import { beginEpoch } from "./epoch";
import { TWINS_STORE } from "@/server/postgres/erasure";
import { beginErasure, noteErasedBefore } from "./erasures";

interface MetricRow {
  readonly id: number;
  readonly kind: MetricKind;
  readonly unit: string | null;
}

/** Makes this transaction, until it ends, the only one that changes what others remember of the catalog. */
async function alone(tx: PoolClient): Promise<void> {
  await beginEpoch(tx);
  // Discovery locks devices too: one after the other they can't lock each other out.
  await tx.query(DISCOVERY_LOCK);
}

async function find(tx: PoolClient, name: string): Promise<MetricRow | null> {
  const { rows } = await tx.query<MetricRow>(`SELECT id, kind, unit FROM metric WHERE name = $1 FOR UPDATE`, [name]);
  return rows[0] ?? null;
}

/** True while the job still works on an earlier metric of one of these names: latest values are told apart by the name alone. */
async function isUnderWay(tx: PoolClient, names: readonly string[]): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT FROM catalog_removal WHERE kind = 'metric' AND name = ANY ($1::text[]) LIMIT 1`,
    [names],
  );
  return rowCount !== 0;
}

/**
 * Takes a metric out of the catalog at once; a job removes its readings. A later reading of this name is of a new metric.
 * @returns "missing" when there is none of this name, "underWay" while an earlier one of this name is still being removed.
 */
export async function removeMetric(tx: PoolClient, name: string): Promise<"removed" | "missing" | "underWay"> {
  await alone(tx);
  const metric = await find(tx, name);
  if (metric === null) return "missing";
  if (await isUnderWay(tx, [name])) return "underWay";
  await take(tx, name, metric.id, null);
  return "removed";
}

/**
 * Gives a metric another name at once; a job gives it to its latest values. What is sent under the old name stays the metric's, and a name that it had
 * before can be given back.
 * @returns "missing" without the metric, "taken" when the name is another one's, "underWay" while an earlier metric of these names is
 *   still being removed: then nothing is changed.
 */
export async function renameMetric(
  tx: PoolClient,
  name: string,
  to: string,
): Promise<"renamed" | "missing" | "taken" | "underWay"> {
  await alone(tx);
  const metric = await find(tx, name);
  if (metric === null) return "missing";
  if (await isUnderWay(tx, [name, to])) return "underWay";
  const other = await findByAlias(tx, to);
  if ((await find(tx, to)) !== null || (other !== null && other !== metric.id)) return "taken";
  await takeAlias(tx, to, metric.id);
  await tx.query(`UPDATE metric SET name = $2 WHERE id = $1`, [metric.id, to]);
  await keepAlias(tx, name, metric.id, null);
  await begin(tx, name, metric.id, metric.id);
  return "renamed";
}

/**
 * Takes a name away under which a metric is sent, too: what is sent under it from now on is another metric's.
 * @returns false when the metric isn't sent under it.
 */
export async function forgetAlias(tx: PoolClient, metric: number, alias: string): Promise<boolean> {
  await alone(tx);
  return takeAlias(tx, alias, metric);
}

/**
 * Takes a metric out of the catalog at once; a job gives its readings to another one, which gets what is sent under its names, too.
 * @returns "missing" or "noTarget" without one or the other metric, "underWay" while an earlier one of these names is still being
 *   removed, "units" when both have units that differ: then nothing is changed.
 */
export async function mergeMetric(
  tx: PoolClient,
  name: string,
  into: string,
): Promise<"merged" | "missing" | "noTarget" | "underWay" | "units"> {
  await alone(tx);
  const [metric, target] = [await find(tx, name), await find(tx, into)];
  if (metric === null) return "missing";
  if (target === null) return "noTarget";
  if (await isUnderWay(tx, [name, into])) return "underWay";
  if (metric.unit !== null && target.unit !== null && metric.unit !== target.unit) return "units";
  if (metric.kind === "number") await tx.query(`UPDATE metric SET kind = 'number' WHERE id = $1`, [target.id]);
  await tx.query(
    `INSERT INTO rounded_series (device_id, metric_id, time) SELECT device_id, $2, time FROM rounded_series WHERE metric_id = $1
     ON CONFLICT (device_id, metric_id) DO UPDATE SET time = greatest(rounded_series.time, excluded.time)`,
    [metric.id, target.id],
  );
  await tx.query(
    `INSERT INTO device_metric (device_id, metric_id, first_seen) SELECT device_id, $2, first_seen FROM device_metric WHERE metric_id = $1
     ON CONFLICT (device_id, metric_id) DO UPDATE SET first_seen = least(device_metric.first_seen, excluded.first_seen)`,
    [metric.id, target.id],
  );
  await keepAlias(tx, name, target.id, metric.id);
  await take(tx, name, metric.id, target.id);
  return "merged";
}

/** Says whether a metric is a number or a boolean; the next number makes a boolean a number again. */
export async function setMetricKind(tx: PoolClient, metric: number, kind: MetricKind): Promise<void> {
  // Workers remember which metrics are numbers.
  await alone(tx);
  await tx.query(`UPDATE metric SET kind = $2 WHERE id = $1`, [metric, kind]);
}

/**
 * Takes a device out of the catalog at once; a job removes its readings. A later message of this name is of a new device.
 * @param erases true: the job removes all else of it too, and messages of this name are dropped from now on.
 * @param forgetTwin removes its twin, and says how many there were; called while no batch can be committed.
 * @returns false when there is none of this name at these sites; the erasure's number, or null without one.
 */
export async function removeDevice(
  tx: PoolClient,
  name: string,
  sites: Sites,
  forgetTwin: () => Promise<number>,
  erases = false,
): Promise<false | { readonly erasure: number | null }> {
  await alone(tx);
  const [within, values] = sites === "all" ? ["", []] : ["AND site_id = ANY ($2::integer[])", [sites]];
  const { rows } = await tx.query<{ id: number }>(`DELETE FROM device WHERE name = $1 ${within} RETURNING id`, [
    name,
    ...values,
  ]);
  if (!rows[0]) return false;
  await tx.query(`INSERT INTO catalog_removal (kind, key, name, step) VALUES ('device', $1, $2, 'readings')`, [
    rows[0].id,
    name,
  ]);
  const erasure = erases ? await beginErasure(tx, rows[0].id, name) : null;
  const forgotten = await forgetTwin();
  if (erases) await noteErasedBefore(tx, rows[0].id, TWINS_STORE, forgotten);
  return { erasure };
}

async function take(tx: PoolClient, name: string, key: number, into: number | null): Promise<void> {
  await tx.query(
    `UPDATE device SET conflict_metric_id = NULL, conflict_time = NULL, conflict_kept = NULL, conflict_refused = NULL
     WHERE conflict_metric_id = $1`,
    [key],
  );
  await tx.query(`DELETE FROM metric WHERE id = $1`, [key]);
  await begin(tx, name, key, into);
}

/** Has the job work on what is stored under a name. */
async function begin(tx: PoolClient, name: string, key: number, into: number | null): Promise<void> {
  await tx.query(`INSERT INTO catalog_removal (kind, key, name, into_key) VALUES ('metric', $1, $2, $3)`, [
    key,
    name,
    into,
  ]);
}

/**
 * Tells which of these names the job has still to take out of twins, or give on: of devices whose key is above the number by name.
 */
export async function readNamesUnderWay(pool: Pool, names: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ name: string; device: number }>(
    `SELECT name, min(device) AS device FROM catalog_removal WHERE kind = 'metric' AND step = 'twins' AND name = ANY ($1::text[]) GROUP BY name`,
    [names],
  );
  return new Map(rows.map(({ name, device }) => [name, device]));
}

/** A removal that the job has not finished. */
export interface UnfinishedRemoval {
  readonly id: number;
  readonly kind: "metric" | "device";
  readonly name: string;
  /** The name of the metric that gets its readings. */
  readonly into: string | null;
  readonly createdAt: EpochMs;
  /** Between 0 and 1; null for a device, whose readings nobody has counted. */
  readonly share: number | null;
}

/** What is being removed, in the order in which the job takes it. A metric's job goes over all devices twice: over their twins, then over their readings. */
export async function findRemovals(pool: Pool): Promise<UnfinishedRemoval[]> {
  const { rows } = await pool.query<UnfinishedRemoval>(
    `SELECT r.id, r.kind, r.name, (extract(epoch FROM r.created_at) * 1000)::float8 AS "createdAt",
       coalesce((SELECT name FROM metric WHERE id = r.into_key),
         (SELECT name FROM catalog_removal t WHERE t.kind = 'metric' AND t.key = r.into_key)) AS into,
       CASE WHEN r.kind = 'metric' THEN ((r.step = 'readings')::integer
         + (SELECT count(*) FILTER (WHERE d.id <= r.device) / greatest(1.0, count(*)) FROM device d))::float8 / 2 END AS share
     FROM catalog_removal r ORDER BY r.id`,
  );
  return rows;
}
