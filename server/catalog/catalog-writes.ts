import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs, MetricKind } from "@/server/domain/terms";
import type { LockedDevice } from "@/server/ports/commit-batch";
import { InconsistencyError, withTransaction } from "@/server/postgres/transaction";
import { prepared } from "@/server/postgres/prepared";

export interface CatalogDevice {
  readonly id: number;
  readonly name: string;
  /** Its site, as it is for good. */
  readonly siteId: number | null;
  /** The name of its site. */
  readonly site: string | null;
  /** True also when a person set it to none. */
  readonly hasSite: boolean;
  readonly hasType: boolean;
}

export interface CatalogMetric {
  readonly id: number;
  readonly name: string;
  readonly kind: MetricKind;
  /** The unit of all devices that have none of their own. */
  readonly unit: string | null;
}

/** The device's own words about itself; null where it says nothing. */
export interface NewDevice {
  readonly name: string;
  readonly site: string | null;
  /** True if that is the site its sender speaks for, which takes no device that is there already. */
  readonly isSenders: boolean;
  readonly type: string | null;
}

export interface NewMetric {
  readonly name: string;
  readonly kind: MetricKind;
  /** The unit its first sender said; null if none. */
  readonly unit?: string | null;
}

/** Serialises discovery, so that workers at it at once can't pass the bounds together. */
export const DISCOVERY_LOCK = `SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.discovery', 0))`;

/** The columns of a known device; what a person set, even to nothing, counts as there. */
const DEVICE = `id, name, site_id AS "siteId", (SELECT s.name FROM site s WHERE s.id = site_id) AS site, site_id IS NOT NULL OR site_by_person AS "hasSite", type IS NOT NULL OR type_by_person AS "hasType"`;

/** Finds those of `names` that are known. */
export async function findDevices(db: Pool | PoolClient, names: readonly string[]): Promise<CatalogDevice[]> {
  const { rows } = await db.query<CatalogDevice>(`SELECT ${DEVICE} FROM device WHERE name = ANY ($1)`, [names]);
  return rows;
}

/** Finds those of `names` that are known, as names of metrics or as others under which these are sent: each under the name asked for. */
export async function findMetrics(db: Pool | PoolClient, names: readonly string[]): Promise<CatalogMetric[]> {
  const { rows } = await db.query<CatalogMetric>(
    `SELECT id, name, kind, unit FROM metric WHERE name = ANY ($1)
     UNION ALL SELECT m.id, a.name, kind, unit FROM metric_alias a JOIN metric m ON m.id = a.metric_id WHERE a.name = ANY ($1)`,
    [names],
  );
  return rows;
}

/** The names of these sites, in order. */
export async function findSiteNames(db: Pool | PoolClient, ids: Sites): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT name FROM site WHERE $1::integer[] IS NULL OR id = ANY ($1) ORDER BY name`,
    [ids === "all" ? null : ids],
  );
  return rows.map(nameOf);
}

/** The names of these sites, in order, each with those it had before. */
export async function findAllSiteNames(
  db: Pool | PoolClient,
  ids: readonly number[],
): Promise<{ name: string; others: string[] }[]> {
  const { rows } = await db.query<{ name: string; others: string[] }>(
    `SELECT name, ARRAY(SELECT a.name FROM site_alias a WHERE a.site_id = s.id) AS others FROM site s WHERE id = ANY ($1) ORDER BY name`,
    [ids],
  );
  return rows;
}

/** The site of this name; one that isn't there yet is added. */
export async function ensureSite(tx: PoolClient, name: string): Promise<number> {
  await tx.query(DISCOVERY_LOCK);
  return (await addSites(tx, [{ site: name }]))({ site: name })!;
}

/** The site that has, or had, this name; null: none. */
export async function findSite(tx: PoolClient, name: string): Promise<number | null> {
  return (await findSiteIds(tx, [name])).get(name) ?? null;
}

/** The sites that have, or had, these names, by the name asked for. */
export async function findSiteIds(db: Pool | PoolClient, names: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ name: string; id: number }>(
    `SELECT n.name, s.id FROM (SELECT name, site_now(name) AS own FROM unnest($1::text[]) AS n (name) OFFSET 0) n JOIN site s ON s.name = n.own`,
    [names],
  );
  return new Map(rows.map(({ name, id }) => [name, id]));
}

/**
 * Adds devices, in their order, until there are `most`. Commits by itself, and twice is the same as once.
 * @returns those of `devices` that are in the catalog now.
 */
export async function discoverDevices(
  pool: Pool,
  devices: readonly NewDevice[],
  most: number,
): Promise<CatalogDevice[]> {
  return withTransaction(pool, async (client) => {
    await client.query(DISCOVERY_LOCK);
    const known = await findDevices(client, devices.map(nameOf));
    const fresh = await roomFor(client, "device", devices, known, most);
    if (fresh.length === 0) return known;
    const siteIdOf = await addSites(client, fresh);
    const { rows } = await client.query<CatalogDevice>(
      `INSERT INTO device (name, site_id, type)
       SELECT name, site, type FROM unnest($1::text[], $2::integer[], $3::text[]) WITH ORDINALITY AS n (name, site, type, i) ORDER BY i
       RETURNING ${DEVICE}`,
      [fresh.map(nameOf), fresh.map(siteIdOf), fresh.map((device) => device.type)],
    );
    return [...known, ...rows];
  });
}

/** Discovers metrics as {@link discoverDevices} does devices. A known metric is answered as it is, whatever `metrics` says. */
export async function discoverMetrics(
  pool: Pool,
  metrics: readonly NewMetric[],
  most: number,
): Promise<CatalogMetric[]> {
  return withTransaction(pool, async (client) => {
    await client.query(DISCOVERY_LOCK);
    const known = await findMetrics(client, metrics.map(nameOf));
    const fresh = await roomFor(client, "metric", metrics, known, most);
    if (fresh.length === 0) return known;
    const { rows } = await client.query<CatalogMetric>(
      `INSERT INTO metric (name, kind, unit, meaning)
       SELECT n.name, n.kind, n.unit, CASE WHEN n.unit IS NULL THEN 'none' ELSE 'set' END
       FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS n (name, kind, unit, i) ORDER BY n.i
       RETURNING id, name, kind, unit`,
      [fresh.map(nameOf), fresh.map(({ kind }) => kind), fresh.map(({ unit }) => unit ?? null)],
    );
    return [...known, ...rows];
  });
}

/** A metric of a device. */
export interface DeviceMetric {
  readonly deviceId: number;
  readonly metric: number;
}

/** Notes which metrics devices have. Commits by itself, and twice is the same as once. */
export async function noteMetrics(pool: Pool, noted: readonly DeviceMetric[]): Promise<void> {
  await withTransaction(pool, async (client) => {
    await client.query(DISCOVERY_LOCK);
    await client.query(
      `INSERT INTO device_metric (device_id, metric_id)
       SELECT DISTINCT d.id, m.id FROM unnest($1::integer[], $2::integer[]) AS n (device, metric)
       JOIN device d ON d.id = n.device JOIN metric m ON m.id = n.metric
       ON CONFLICT (device_id, metric_id) DO NOTHING`,
      [noted.map(({ deviceId }) => deviceId), noted.map(({ metric }) => metric)],
    );
  });
}

/** The metrics that those of these devices have which are known, by the device's name. */
export async function findMetricsOf(
  pool: Pool,
  devices: readonly string[],
): Promise<ReadonlyMap<string, { readonly id: number; readonly metrics: ReadonlySet<string> }>> {
  const { rows } = await pool.query<{ name: string; id: number; metrics: string[] }>(
    `SELECT d.name, d.id, ARRAY(SELECT m.name FROM device_metric p JOIN metric m ON m.id = p.metric_id WHERE p.device_id = d.id) AS metrics
     FROM device d WHERE d.name = ANY ($1::text[])`,
    [devices],
  );
  return new Map(rows.map(({ name, id, metrics }) => [name, { id, metrics: new Set(metrics) }]));
}

/** A unit that a device has of its own for a metric. */
export interface DeviceUnit extends DeviceMetric {
  readonly unit: string;
}

/** The units that these devices have of their own. */
export async function findOwnUnits(pool: Pool, devices: readonly number[]): Promise<DeviceUnit[]> {
  const { rows } = await pool.query<DeviceUnit>(
    `SELECT device_id AS "deviceId", metric_id AS metric, unit FROM device_unit WHERE device_id = ANY ($1::integer[])`,
    [devices],
  );
  return rows;
}

/** Notes the units that messages say of devices' metrics which have none. Commits by itself, and twice is the same as once. */
export async function noteOwnUnits(pool: Pool, noted: readonly DeviceUnit[]): Promise<void> {
  await withTransaction(pool, async (client) => {
    await client.query(DISCOVERY_LOCK);
    await client.query(
      `INSERT INTO device_unit (device_id, metric_id, unit)
       SELECT d.id, m.id, n.unit FROM unnest($1::integer[], $2::integer[], $3::text[]) AS n (device, metric, unit)
       JOIN device d ON d.id = n.device JOIN metric m ON m.id = n.metric AND m.unit IS NULL
       ON CONFLICT (device_id, metric_id) DO NOTHING`,
      [noted.map(({ deviceId }) => deviceId), noted.map(({ metric }) => metric), noted.map(({ unit }) => unit)],
    );
  });
}

/** Makes booleans numbers, as which at least one reading came. Commits by itself, and twice is the same as once. */
export async function countAsNumbers(pool: Pool, metrics: readonly { readonly id: number }[]): Promise<void> {
  await withTransaction(pool, async (client) => {
    await client.query(DISCOVERY_LOCK);
    await client.query(`UPDATE metric SET kind = 'number' WHERE id = ANY ($1::integer[]) AND kind = 'boolean'`, [
      metrics.map(({ id }) => id),
    ]);
  });
}

/**
 * Fills in site and type of known devices where they are missing and no person has set them. Commits by itself, and twice
 * is the same as once.
 * @returns the devices as they are then.
 */
export async function describeDevices(
  pool: Pool,
  devices: readonly { id: number; site: string | null; type: string | null }[],
): Promise<CatalogDevice[]> {
  return withTransaction(pool, async (client) => {
    await client.query(DISCOVERY_LOCK);
    const siteIdOf = await addSites(client, devices);
    await lockDevices(
      client,
      devices.map((device) => device.id),
    );
    await client.query(
      `UPDATE device d
       SET site_id = CASE WHEN d.site_by_person THEN d.site_id ELSE COALESCE(d.site_id, n.site) END,
         type = CASE WHEN d.type_by_person THEN d.type ELSE COALESCE(d.type, n.type) END,
         updated_at = GREATEST(CURRENT_TIMESTAMP, d.updated_at + interval '1 ms')
       FROM unnest($1::integer[], $2::integer[], $3::text[]) AS n (id, site, type) WHERE d.id = n.id`,
      [devices.map((device) => device.id), devices.map(siteIdOf), devices.map((device) => device.type)],
    );
    const { rows } = await client.query<CatalogDevice>(`SELECT ${DEVICE} FROM device WHERE id = ANY ($1)`, [
      devices.map((device) => device.id),
    ]);
    return rows;
  });
}

const LOCK_DEVICES = prepared(
  `SELECT id, (extract(epoch FROM last_event_time) * 1000)::float8 AS latest, (extract(epoch FROM rolled_until) * 1000)::float8 AS "rolledUntil",
     said_labels AS "saidLabels", judged::float8 AS judged FROM device WHERE id = ANY ($1::integer[]) ORDER BY id FOR NO KEY UPDATE`,
);

/**
 * Locks devices until the transaction ends, in the order of their ids, so that two transactions can't lock each other
 * out. Whoever holds them is the only one to write their samples and rollups.
 * @returns the devices as they are. Devices that are gone are missing.
 */
export async function lockDevices(client: PoolClient, ids: readonly number[]): Promise<Map<number, LockedDevice>> {
  const { rows } = await client.query<{ readonly id: number } & LockedDevice>(LOCK_DEVICES([ids]));
  return new Map(rows.map(({ id, ...history }) => [id, history]));
}

/** One device's part of a batch. */
export interface DeviceActivity {
  readonly id: number;
  readonly messages: number;
  /** Latest ingest time; null if it brought values of unknown age alone. */
  readonly lastSeen: EpochMs | null;
  /** Latest event time; null as well. */
  readonly lastEventTime: EpochMs | null;
  /** Earliest ingest time; left out: how far apart they are is not to be learned from. */
  readonly firstSeen?: EpochMs;
  /** Longest time between two of them as they were taken, in milliseconds. */
  readonly gapMs?: number;
  /** Ingest time of the first goodbye after the last message by which it was heard; left out if none came. */
  readonly goneAt?: EpochMs;
}

/** Of two messages between which none were taken for a while: how far apart they are is ours. */
const OPENED = `(SELECT max(since) FROM telemetry_open)`;
const NOTED = `(SELECT max(until) FROM telemetry_open)`;
const IS_OURS = `(d.last_seen < ${OPENED} AND n.last_seen >= ${OPENED} - interval '10 s')
           OR (d.last_seen <= ${NOTED} + interval '5 s' AND n.last_seen > ${NOTED} + interval '10 s')`;
/**
 * How far apart messages are. gap_p99 goes half the way up to a longer gap and slowly down again, so that it stays near the longest of late;
 * gap_median, of event times, goes a tenth of itself towards each.
 */
const GAP = `CASE WHEN n.first_seen >= d.last_seen AND (${IS_OURS}) IS NOT TRUE THEN greatest(n.inner_gap, (extract(epoch FROM n.first_seen - d.last_seen) * 1000)::real) END`;
const EVENT_GAP = `CASE WHEN n.last_event_time > d.last_event_time
           THEN ((extract(epoch FROM n.last_event_time - d.last_event_time) * 1000) / n.messages)::real END`;
const LEARN_GAPS = `gaps = CASE WHEN n.first_seen >= d.last_seen THEN least(d.gaps + n.messages, 1000000) ELSE d.gaps END,
         gap_p99 = coalesce(CASE WHEN d.gap_p99 IS NULL THEN ${GAP} ELSE d.gap_p99 + greatest((${GAP} - d.gap_p99) / 2, 0) + least((${GAP} - d.gap_p99) / 200, 0) END, d.gap_p99),
         gap_median = coalesce(CASE WHEN d.gap_median IS NULL THEN ${EVENT_GAP}
           ELSE least(greatest(${EVENT_GAP}, d.gap_median / 1.1), d.gap_median * 1.1 + 1) + 0 * ${EVENT_GAP} END, d.gap_median)`;

const NOTE_ACTIVITY = prepared(
  `UPDATE device d
     SET messages = d.messages + n.messages, last_seen = GREATEST(d.last_seen, n.last_seen),
         last_event_time = GREATEST(d.last_event_time, n.last_event_time), judged = coalesce($5::bigint, d.judged),
         gone_at = CASE WHEN n.last_seen IS NULL THEN coalesce(d.gone_at, n.gone_at) ELSE n.gone_at END,
         retired_at = CASE WHEN n.last_seen > d.retired_at THEN NULL ELSE d.retired_at END,
         returned_at = CASE WHEN n.last_seen > d.retired_at THEN n.last_seen ELSE d.returned_at END, ${LEARN_GAPS}
     FROM unnest($1::integer[], $2::integer[], $3::timestamptz[], $4::timestamptz[], $6::timestamptz[], $7::real[], $8::timestamptz[])
       AS n (id, messages, last_seen, last_event_time, first_seen, inner_gap, gone_at)
     WHERE d.id = n.id`,
);

/** Adds up what devices did, whose rows the transaction has locked. @param mark that of the batch by which alerts are judged; null: none are */
export async function noteActivity(
  client: PoolClient,
  devices: readonly DeviceActivity[],
  mark: number | null = null,
): Promise<void> {
  const { rowCount } = await client.query(
    NOTE_ACTIVITY([
      devices.map((device) => device.id),
      devices.map((device) => device.messages),
      devices.map((device) => instantOf(device.lastSeen)),
      devices.map((device) => instantOf(device.lastEventTime)),
      mark,
      devices.map(({ firstSeen }) => instantOf(firstSeen ?? null)),
      devices.map(({ gapMs }) => gapMs ?? 0),
      devices.map(({ goneAt }) => instantOf(goneAt ?? null)),
    ]),
  );
  if (rowCount !== devices.length)
    throw new InconsistencyError(`${rowCount} of ${devices.length} devices were updated`);
}

function instantOf(time: EpochMs | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** A reading whose value was refused because another one is stored at its metric and event time. */
export interface DeviceConflict {
  readonly deviceId: number;
  /** Its key. */
  readonly metric: number;
  readonly time: EpochMs;
  readonly kept: number;
  readonly refused: number;
}

/** Counts conflicts by device, whose rows the transaction has locked, and keeps the last of each as an example. */
export async function noteConflicts(client: PoolClient, conflicts: readonly DeviceConflict[]): Promise<void> {
  const byDevice = new Map<number, { count: number; last: DeviceConflict }>();
  for (const last of conflicts) {
    const count = (byDevice.get(last.deviceId)?.count ?? 0) + 1;
    byDevice.set(last.deviceId, { count, last });
  }
  const devices = [...byDevice.values()];
  await client.query(
    `UPDATE device d
     SET conflicts = d.conflicts + n.count, conflict_metric_id = n.metric, conflict_time = n.time,
         conflict_kept = n.kept, conflict_refused = n.refused
     FROM unnest($1::integer[], $2::integer[], $3::integer[], $4::timestamptz[], $5::double precision[], $6::double precision[])
       AS n (id, count, metric, time, kept, refused)
     WHERE d.id = n.id`,
    [
      [...byDevice.keys()],
      devices.map(({ count }) => count),
      devices.map(({ last }) => last.metric),
      devices.map(({ last }) => new Date(last.time).toISOString()),
      devices.map(({ last }) => last.kept),
      devices.map(({ last }) => last.refused),
    ],
  );
}

/** Returns those of `wanted` that aren't known and still fit. */
async function roomFor<T extends { readonly name: string }>(
  client: PoolClient,
  table: "device" | "metric",
  wanted: readonly T[],
  known: readonly { readonly name: string }[],
  most: number,
): Promise<T[]> {
  const names = new Set(known.map(nameOf));
  const fresh = wanted.filter(({ name }) => !names.has(name));
  const { rows } = await client.query<{ count: number }>(`SELECT count(*)::integer AS count FROM ${table}`);
  return fresh.slice(0, Math.max(0, most - rows[0]!.count));
}

/** What names a site. */
interface AtSite {
  readonly site: string | null;
}

/** Adds the sites named that aren't there yet, under this or another name. @returns what tells the site of each */
async function addSites(client: PoolClient, devices: readonly AtSite[]): Promise<(of: AtSite) => number | null> {
  const names = [...new Set(devices.flatMap(({ site }) => site ?? []))].sort();
  const ids = names.length === 0 ? new Map<string, number>() : await findSiteIds(client, names);
  const fresh = names.filter((name) => !ids.has(name));
  if (fresh.length > 0) {
    const { rows } = await client.query<{ name: string; id: number }>(
      `INSERT INTO site (name) SELECT n FROM unnest($1::text[]) AS n RETURNING name, id`,
      [fresh],
    );
    for (const { name, id } of rows) ids.set(name, id);
  }
  return ({ site }) => (site === null ? null : ids.get(site)!);
}

function nameOf(named: { readonly name: string }): string {
  return named.name;
}

/** Moves the series' latest rounded reading forward; the same again changes nothing. Their devices' rows are locked. */
export async function noteRounded(
  client: PoolClient,
  series: readonly { readonly deviceId: number; readonly metric: number; readonly time: EpochMs }[],
): Promise<void> {
  await client.query(
    `INSERT INTO rounded_series (device_id, metric_id, time)
     SELECT device, metric, to_timestamp(max(time) / 1000)
     FROM unnest($1::integer[], $2::integer[], $3::float8[]) AS s (device, metric, time) GROUP BY device, metric
     ON CONFLICT (device_id, metric_id) DO UPDATE SET time = greatest(rounded_series.time, excluded.time)`,
    [series.map(({ deviceId }) => deviceId), series.map(({ metric }) => metric), series.map(({ time }) => time)],
  );
}
