import type { Pool } from "pg";
import { DEVICE_STATES, type DeviceStateName, SILENT_AFTER } from "@/server/domain/device-state";
import { seenWithin } from "./stale";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { Condition } from "@/server/domain/device-filter";
import { conditionsSql } from "./device-conditions";
import type { CatalogDevice } from "./devices";

/*
 * Lists of devices: filtered, ordered, counted. A search looks at every device (no index answers "part of a name" in
 * plain PostgreSQL): 10,000 take a few milliseconds, see docs/performance.md.
 */

export type DeviceOrder = "state" | keyof typeof COLUMNS;

/** What the list is ordered by; nulls come last either way, and equals by key. */
const COLUMNS = {
  id: { column: "name", type: "text" },
  site: { column: "site", type: "text" },
  type: { column: "type", type: "text" },
  messages: { column: "messages", type: "bigint" },
  conflicts: { column: "conflicts", type: "bigint" },
  lastSeen: { column: "last_seen", type: "timestamptz" },
  lastEventTime: { column: "last_event_time", type: "timestamptz" },
  firstSeen: { column: "first_seen", type: "timestamptz" },
} as const;

/** A selection of devices, by what they are at `now`. */
export interface DeviceFilter {
  /** Only devices of these. */
  readonly sites: Sites;
  readonly search?: string | undefined;
  readonly site?: string | undefined;
  readonly state?: DeviceStateName | undefined;
  /** Only those with conflicts. */
  readonly conflicts?: boolean | undefined;
  /** Only those with all of these, each `key:value`, or `key` alone for any value. */
  readonly label?: readonly string[] | undefined;
  /** Only these, retired ones too. */
  readonly ids?: readonly string[] | undefined;
  /** Only those that all of these hold of; see `narrowByValues` for those of metrics. Retired devices are left out unless one speaks of them. */
  readonly where?: readonly Condition[] | undefined;
  /** Only these, of what the rest selects. */
  readonly among?: readonly string[] | undefined;
  /** None of these. */
  readonly notAmong?: readonly string[] | undefined;
  readonly now: EpochMs;
  readonly staleSeconds: number;
}

export interface OrderedFilter extends DeviceFilter {
  readonly order: DeviceOrder;
  readonly descending: boolean;
}

/** The device a page follows: its place in the order, and its key (for the order by state: the state's rank) among equals. */
export interface DevicePlace {
  readonly at: string | number | null;
  readonly key: number;
}

export interface DevicePageQuery extends OrderedFilter {
  readonly limit: number;
  readonly after: DevicePlace | null;
}

/** A listed device, with the state it was listed by. */
export interface ListedDevice extends CatalogDevice {
  readonly rank: number;
}

/** Trouble first. */
const RANKED = ["silent", "stale", "new", "live"] as const satisfies readonly DeviceStateName[];

/** The condition that a column holds one of the sites that {@link filterValues} gives last; nothing for all of them. */
function among(sites: Sites, column: string): string {
  return sites === "all" ? "" : `AND ${column} = ANY ($9::integer[])`;
}

/** What is looked for in a label: its value, and its key if the search names one. */
const LABEL_TEXT = `CASE WHEN position(':' IN $1) > 0 THEN key || ':' || value ELSE value END`;

/** Parameters are those of {@link filterValues}: 1 to 8, with some sites 9, then those of conditions. */
const searched = (filter: DeviceFilter) => `
  SELECT d.id, d.name, d.type, s.name AS site, d.first_seen, d.last_seen, d.last_event_time, d.gone_at, d.messages, d.conflicts, d.retired_at, d.returned_at, d.stale_seconds,
    CASE WHEN d.last_seen IS NULL THEN 2 WHEN d.gone_at IS NOT NULL THEN 0 WHEN ${seenWithin("d", "$4", "$5", 1)} THEN 3
      WHEN ${seenWithin("d", "$4", "$5", SILENT_AFTER)} THEN 1 ELSE 0 END AS rank
  FROM device d LEFT JOIN site s ON s.id = d.site_id
  WHERE ($1::text IS NULL OR d.name ILIKE $1 OR d.type ILIKE $1 OR s.name ILIKE $1
      OR d.id IN (SELECT device_id FROM device_label WHERE ${LABEL_TEXT} ILIKE $1))
    AND ($8::text[] IS NULL OR NOT EXISTS (SELECT FROM unnest($8) AS w (label) WHERE NOT EXISTS (
      SELECT FROM device_label l WHERE l.device_id = d.id AND w.label IN (l.key, l.key || ':' || l.value))))
    AND ($2::text[] IS NULL OR d.name = ANY ($2)) AND (NOT $7::boolean OR d.conflicts > 0) ${among(filter.sites, "d.site_id")}
    ${conditionsOf(filter).sql}`;
const AT_SITE = "($3::text IS NULL OR site = (SELECT site_now($3)))";
const IN_STATE = "($6::integer IS NULL OR rank = $6)";
/** Units of a device's own, by metric. */
const UNITS = `(SELECT coalesce(json_object_agg(m.name, u.unit), '{}') FROM device_unit u JOIN metric m ON m.id = u.metric_id
  WHERE u.device_id = device.id) AS units`;
const LABELS = `(SELECT coalesce(json_object_agg(key, value ORDER BY key), '{}') FROM device_label WHERE device_id = device.id) AS labels`;
const matching = (filter: DeviceFilter) => `FROM (${searched(filter)}) AS device WHERE ${AT_SITE} AND ${IN_STATE}`;

function conditionsOf({ sites, where = [], among, notAmong, ids, now }: DeviceFilter) {
  return conditionsSql({ where, among, notAmong, withRetired: ids !== undefined, now }, sites === "all" ? 8 : 9);
}

/** One page of devices in a steady order, and how many match in all. Never heard from sorts last either way. */
export async function findDevices(
  pool: Pool,
  query: DevicePageQuery,
): Promise<{ devices: ListedDevice[]; total: number }> {
  const values = filterValues(query);
  const { condition, values: place } = following(query, values.length);
  const [page, count] = await Promise.all([
    pool.query<Row>(
      `SELECT *, ${UNITS}, ${LABELS} ${matching(query)} ${condition} ORDER BY ${orderOf(query)} LIMIT $${values.length + place.length + 1}`,
      [...values, ...place, query.limit],
    ),
    pool.query<{ total: number }>(`SELECT count(*) AS total ${matching(query)}`, values),
  ]);
  return { devices: page.rows.map(toDevice), total: count.rows[0]!.total };
}

/** These devices by id; those that aren't there are left out. */
export async function readDevices(
  pool: Pool,
  ids: readonly string[],
  at: Pick<DeviceFilter, "sites" | "now" | "staleSeconds">,
): Promise<Map<string, ListedDevice>> {
  const { rows } = await pool.query<Row>(
    `SELECT *, ${UNITS}, ${LABELS} ${matching({ ids, ...at })}`,
    filterValues({ ids, ...at }),
  );
  return new Map(rows.map((row) => [row.name, toDevice(row)]));
}

/** The ids of all devices that match, in order. */
export function findDeviceOrder(pool: Pool, query: OrderedFilter): Promise<string[]> {
  return findIds(pool, query, `ORDER BY ${orderOf(query)}`);
}

/** The ids of all devices that match, as JavaScript compares them. */
export function findDeviceIds(pool: Pool, filter: DeviceFilter): Promise<string[]> {
  return findIds(pool, filter, 'ORDER BY name COLLATE "C"');
}

/** A device that matches and has a metric. */
export interface SeriesDevice {
  readonly key: number;
  readonly name: string;
  readonly site: string | null;
  readonly type: string | null;
  /** The unit it has of its own for the metric. */
  readonly unit: string | null;
}

/** The first devices by id that match and ever had a metric, and how many there are in all. */
export async function findSeriesDevices(
  pool: Pool,
  filter: DeviceFilter,
  metric: number,
  limit: number,
): Promise<{ devices: SeriesDevice[]; total: number }> {
  const values = filterValues(filter);
  const [m, most] = [`$${values.length + 1}::integer`, `$${values.length + 2}`];
  const { rows } = await pool.query<SeriesDevice & { total: number }>(
    `SELECT device.id AS key, name, site, type, u.unit, count(*) OVER () AS total
     FROM (SELECT * ${matching(filter)}) AS device
     JOIN device_metric p ON p.device_id = device.id AND p.metric_id = ${m}
     LEFT JOIN device_unit u ON u.device_id = device.id AND u.metric_id = ${m} ORDER BY name LIMIT ${most}`,
    [...values, metric, limit],
  );
  return { devices: rows.map(({ total: _, ...device }) => device), total: rows[0]?.total ?? 0 };
}

/** One text of many ids is read far faster than as many rows; no id has a comma. */
async function findIds(pool: Pool, filter: DeviceFilter, order: string): Promise<string[]> {
  const { rows } = await pool.query<[string | null]>({
    rowMode: "array",
    text: `SELECT string_agg(name, ',' ${order}) ${matching(filter)}`,
    values: filterValues(filter),
  });
  return rows[0]![0]?.split(",") ?? [];
}

interface SiteCounts {
  readonly name: string;
  readonly devices: number;
  readonly states: Readonly<Record<DeviceStateName, number>>;
  /** Ingest time of the latest message of any of them. */
  readonly lastSeen: EpochMs | null;
}

export interface FleetCounts {
  /** However they are searched. */
  readonly all: number;
  readonly total: number;
  /** The number of them that have conflicts. */
  readonly conflicts: number;
  /** Among those that match everything but the state. */
  readonly states: Readonly<Record<DeviceStateName, number>>;
  /** Every site by name, with its devices among those that match everything but the site. */
  readonly sites: readonly SiteCounts[];
  /** MD5 of the matching ids in order, joined by commas. */
  readonly tag: string;
}

/** Counts of the devices that match, and a fingerprint of their order, in one look at the table. */
export async function countFleet(pool: Pool, query: OrderedFilter): Promise<FleetCounts> {
  const { rows } = await pool.query<
    Pick<FleetCounts, "all" | "total" | "conflicts" | "tag"> & {
      ranks: Ranks;
      sites: [string, Ranks | null, string | null][];
    }
  >(
    `WITH device_found AS MATERIALIZED (${searched(query)})
     SELECT (SELECT count(*) FROM device WHERE retired_at IS NULL ${among(query.sites, "site_id")}) AS "all",
       (SELECT count(*) FROM device_found WHERE ${AT_SITE} AND ${IN_STATE}) AS total,
       (SELECT count(*) FROM device_found WHERE ${AT_SITE} AND ${IN_STATE} AND conflicts > 0) AS conflicts,
       (SELECT coalesce(json_object_agg(rank, n), '{}') FROM (
          SELECT rank, count(*) AS n FROM device_found WHERE ${AT_SITE} GROUP BY rank) AS ranked) AS ranks,
       (SELECT coalesce(json_agg(json_build_array(s.name, ranks, latest) ORDER BY s.name), '[]') FROM site s LEFT JOIN (
          SELECT site, json_object_agg(rank, n) AS ranks, max(latest) AS latest FROM (
            SELECT site, rank, count(*) AS n, max(last_seen) AS latest FROM device_found WHERE ${IN_STATE} GROUP BY site, rank
          ) AS ranked GROUP BY site) AS placed ON placed.site = s.name WHERE true ${among(query.sites, "s.id")}) AS sites,
       (SELECT md5(coalesce(string_agg(name, ',' ORDER BY ${orderOf(query)}), ''))
          FROM device_found WHERE ${AT_SITE} AND ${IN_STATE}) AS tag`,
    filterValues(query),
  );
  const { ranks, sites, ...counts } = rows[0]!;
  return {
    ...counts,
    states: statesOf(ranks),
    sites: sites.map(([name, siteRanks, latest]) => {
      const states = statesOf(siteRanks ?? {});
      const devices = DEVICE_STATES.reduce((sum, state) => sum + states[state], 0);
      return { name, devices, states, lastSeen: latest === null ? null : Date.parse(latest) };
    }),
  };
}

/** Counts by rank, as JSON writes its keys. */
type Ranks = Partial<Record<string, number>>;

function statesOf(ranks: Ranks): Record<DeviceStateName, number> {
  const states = Object.fromEntries(DEVICE_STATES.map((state) => [state, ranks[RANKED.indexOf(state)] ?? 0]));
  return states as Record<DeviceStateName, number>;
}

/** These sites by name. */
export async function findSites(pool: Pool, sites: Sites): Promise<string[]> {
  const [where, values] = sites === "all" ? ["", []] : ["WHERE id = ANY ($1::integer[])", [sites]];
  const { rows } = await pool.query<{ name: string }>(`SELECT name FROM site ${where} ORDER BY name`, values);
  return rows.map(({ name }) => name);
}

/** Ids of some devices that have reported, spread over all of them, the same ones each time while the fleet is the same. */
export async function sampleDevices(pool: Pool, sites: Sites, most: number): Promise<string[]> {
  const [within, values] = sites === "all" ? ["", []] : ["AND site_id = ANY ($2::integer[])", [sites]];
  const { rows } = await pool.query<{ name: string }>(
    `SELECT name FROM device WHERE last_seen IS NOT NULL AND retired_at IS NULL ${within} ORDER BY hashtext(name), name LIMIT $1`,
    [most, ...values],
  );
  return rows.map(({ name }) => name);
}

/** A device's place in an order. */
export function placeOf(device: ListedDevice, order: DeviceOrder): DevicePlace {
  if (order === "state") return { at: device.name, key: device.rank };
  return { at: order === "id" ? device.name : device[order], key: device.key };
}

function filterValues(filter: DeviceFilter): unknown[] {
  const { sites, search, site, state, conflicts, label, ids, now, staleSeconds } = filter;
  return [
    // The wildcards of ILIKE stand for themselves.
    search ? `%${search.replace(/[\\%_]/g, "\\$&")}%` : null,
    ids ?? null,
    site ?? null,
    new Date(now),
    staleSeconds,
    state === undefined ? null : RANKED.indexOf(state),
    conflicts ?? false,
    label ?? null,
    ...(sites === "all" ? [] : [sites]),
    ...conditionsOf(filter).values,
  ];
}

function orderOf({ order, descending }: OrderedFilter): string {
  const direction = descending ? "DESC" : "ASC";
  if (order === "state") return `rank ${direction}, name`;
  return `${COLUMNS[order].column} ${direction} NULLS LAST, id`;
}

/** The condition of coming after a place, with its values numbered from `given` + 1. */
function following(
  { order, descending, after }: DevicePageQuery,
  given: number,
): { condition: string; values: unknown[] } {
  if (after === null) return { condition: "", values: [] };
  const beyond = descending ? "<" : ">";
  const [at, key] = [`$${given + 1}`, `$${given + 2}`];
  if (order === "state")
    return {
      condition: `AND (rank ${beyond} ${key}::integer OR (rank = ${key} AND name > ${at}::text))`,
      values: [String(after.at), after.key],
    };
  const { column, type } = COLUMNS[order];
  if (after.at === null) return { condition: `AND ${column} IS NULL AND id > ${at}::integer`, values: [after.key] };
  return {
    condition: `AND (${column} ${beyond} ${at}::${type} OR (${column} = ${at} AND id > ${key}::integer) OR ${column} IS NULL)`,
    values: [type === "timestamptz" ? new Date(after.at) : after.at, after.key],
  };
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly site: string | null;
  readonly type: string | null;
  readonly first_seen: Date;
  readonly last_seen: Date | null;
  readonly last_event_time: Date | null;
  readonly gone_at: Date | null;
  readonly retired_at: Date | null;
  readonly returned_at: Date | null;
  readonly stale_seconds: number | null;
  readonly messages: number;
  readonly conflicts: number;
  readonly units: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly rank: number;
}

function toDevice(row: Row): ListedDevice {
  return {
    key: row.id,
    name: row.name,
    site: row.site,
    type: row.type,
    firstSeen: row.first_seen.getTime(),
    lastSeen: row.last_seen?.getTime() ?? null,
    lastEventTime: row.last_event_time?.getTime() ?? null,
    goneAt: row.gone_at?.getTime() ?? null,
    retiredAt: row.retired_at?.getTime() ?? null,
    returnedAt: row.returned_at?.getTime() ?? null,
    staleSeconds: row.stale_seconds,
    messages: row.messages,
    conflicts: row.conflicts,
    units: new Map(Object.entries(row.units)),
    labels: new Map(Object.entries(row.labels)),
    rank: row.rank,
  };
}
