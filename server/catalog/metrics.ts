import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs, MetricKind } from "@/server/domain/terms";
import type { Prisma } from "@/server/postgres/generated/client";
import { type PrismaClient, prismaIn } from "@/server/postgres/prisma";
import { atSites } from "./devices";
import { beginEpoch } from "./epoch";

/** The origin of a metric's unit and range. */
type MetricMeaning = "none" | "guessed" | "set";

/** What people say of a metric beside its meaning, and how it is shown; null: nobody has said. */
export interface MetricShown {
  readonly description: string | null;
  /** Who answers for it. */
  readonly owner: string | null;
  /** Digits after the point that it is measured with. */
  readonly decimals: number | null;
  /** A place in the palette of charts, from 1. */
  readonly color: number | null;
  /** Bands of charts; they tell nobody. */
  readonly warningBelow: number | null;
  readonly warningAbove: number | null;
  readonly criticalBelow: number | null;
  readonly criticalAbove: number | null;
}

export interface CatalogMetric {
  readonly key: number;
  readonly name: string;
  readonly kind: MetricKind;
  /** The unit of all devices that have none of their own. */
  readonly unit: string | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly meaning: MetricMeaning;
  readonly shown: MetricShown;
  /** Other names under which it is sent, in order. */
  readonly aliases: readonly string[];
  /** Devices with a unit of their own. */
  readonly ownUnits: number;
  readonly firstSeen: EpochMs;
}

/** Own units are counted at these sites. */
const inFull = (sites: Sites) =>
  ({
    _count: { select: { units: { where: { device: atSites(sites) } } } },
    aliases: { select: { name: true }, orderBy: { name: "asc" } },
  }) as const;

/** The metrics that devices at these sites have, by name; with all sites, every metric. */
export function findMetrics(prisma: PrismaClient, sites: Sites): Promise<CatalogMetric[]> {
  return find(prisma, sites, null);
}

/** The metrics of these keys, by name; units and sites are those of all devices. */
export async function metricsOfKeys(prisma: PrismaClient, keys: readonly number[]): Promise<CatalogMetric[]> {
  const rows = await prisma.metric.findMany({
    where: { id: { in: [...keys] } },
    orderBy: { name: "asc" },
    include: inFull("all"),
  });
  return rows.map((row) => toMetric(row, row.firstSeen));
}

/** The metric of this name, or that is sent under it, if devices at these sites have it; or null. */
export async function findMetric(prisma: PrismaClient, name: string, sites: Sites): Promise<CatalogMetric | null> {
  const [metric] = await find(prisma, sites, name);
  if (metric) return metric;
  const alias = await prisma.metricAlias.findUnique({ where: { name }, include: { metric: true } });
  return (alias && (await find(prisma, sites, alias.metric.name))[0]) ?? null;
}

async function find(prisma: PrismaClient, sites: Sites, name: string | null): Promise<CatalogMetric[]> {
  const seen = sites === "all" ? null : await firstSeenAt(prisma, sites, name);
  const rows = await prisma.metric.findMany({
    where: { ...(name !== null && { name }), ...(seen && { id: { in: [...seen.keys()] } }) },
    orderBy: { name: "asc" },
    include: inFull(sites),
  });
  return rows.map((row) => toMetric(row, seen?.get(row.id) ?? row.firstSeen));
}

/** When devices at these sites first had each metric, or that of this name. */
async function firstSeenAt(
  prisma: PrismaClient,
  sites: readonly number[],
  name: string | null,
): Promise<ReadonlyMap<number, Date>> {
  const rows = await prisma.$queryRaw<{ id: number; at: Date }[]>`
    SELECT p.metric_id AS id, min(p.first_seen) AS at FROM device_metric p JOIN device d ON d.id = p.device_id
    WHERE d.site_id = ANY (${[...sites]}::integer[])
      AND (${name}::text IS NULL OR p.metric_id = (SELECT id FROM metric WHERE name = ${name})) GROUP BY 1`;
  return new Map(rows.map(({ id, at }) => [id, at]));
}

/** Says what a metric means, for all devices. Workers convert to another unit from then on: see {@link beginEpoch}. */
export async function describeMetric(
  tx: PoolClient,
  key: number,
  { unit, min, max }: { readonly unit: string | null; readonly min: number | null; readonly max: number | null },
): Promise<void> {
  const { rowCount } = await tx.query(`SELECT FROM metric WHERE id = $1 AND unit IS DISTINCT FROM $2`, [key, unit]);
  if (rowCount) await beginEpoch(tx);
  await tx.query(`UPDATE metric SET unit = $2, min = $3, max = $4, meaning = 'set' WHERE id = $1`, [
    key,
    unit,
    min,
    max,
  ]);
}

/** Says how a metric is shown; an absent part stays as it is. */
export async function showMetric(tx: PoolClient, key: number, shown: Partial<MetricShown>): Promise<void> {
  await prismaIn(tx).metric.update({ where: { id: key }, data: shown });
}

/**
 * Gives devices at these sites a unit of their own, or takes it away with null.
 * @param unsetOnly leaves those alone that have one.
 * @returns which of them are not there.
 */
export async function setOwnUnits(
  tx: PoolClient,
  sites: Sites,
  metric: number,
  { devices, unit, unsetOnly }: { devices: readonly string[]; unit: string | null; unsetOnly: boolean },
): Promise<string[]> {
  // Workers convert to what they remember; the epoch is begun before anything is locked, as removals do.
  const { rowCount: changed } = await tx.query(
    `SELECT FROM device d LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = $2
     WHERE d.name = ANY ($1) AND u.unit IS DISTINCT FROM $3 AND (u.unit IS NULL OR NOT $4) LIMIT 1`,
    [devices, metric, unit, unsetOnly],
  );
  if (changed) await beginEpoch(tx);
  // The order of ids is the one in which all who lock several devices do so.
  const [within, values] = sites === "all" ? ["", []] : ["AND site_id = ANY ($2::integer[])", [sites]];
  const { rows } = await tx.query<{ id: number; name: string }>(
    `SELECT id, name FROM device WHERE name = ANY ($1) ${within} ORDER BY id FOR NO KEY UPDATE`,
    [devices, ...values],
  );
  const ids = rows.map(({ id }) => id);
  // Whoever judges their readings remembers whose unit a range is in.
  if (changed) await tx.query(`UPDATE device SET judged = judged + 1 WHERE id = ANY ($1::integer[])`, [ids]);
  if (unit !== null)
    await tx.query(
      `INSERT INTO device_unit (device_id, metric_id, unit) SELECT id, $2, $3 FROM unnest($1::integer[]) AS d (id)
       ON CONFLICT (device_id, metric_id) DO UPDATE SET unit = excluded.unit WHERE NOT $4`,
      [ids, metric, unit, unsetOnly],
    );
  else if (!unsetOnly)
    await tx.query(`DELETE FROM device_unit WHERE metric_id = $2 AND device_id = ANY ($1::integer[])`, [ids, metric]);
  const known = new Set(rows.map(({ name }) => name));
  return devices.filter((name) => !known.has(name));
}

/** The units that these devices have of their own for a metric, by device. */
export async function ownUnits(
  tx: PoolClient,
  metric: number,
  devices: readonly string[],
): Promise<Record<string, string>> {
  const { rows } = await tx.query<{ name: string; unit: string }>(
    `SELECT d.name, u.unit FROM device_unit u JOIN device d ON d.id = u.device_id WHERE u.metric_id = $1 AND d.name = ANY ($2) ORDER BY d.name`,
    [metric, devices],
  );
  return Object.fromEntries(rows.map(({ name, unit }) => [name, unit]));
}

/** A unit that devices have of their own, and how many they are. */
export interface DevicesUnit {
  readonly unit: string;
  readonly devices: number;
}

/** Most units told of a metric. */
const MOST_UNITS = 8;

/** The units that devices at these sites have of their own, by metric, the commonest first and the first few of them alone. */
export async function unitsOfDevices(db: Pool, sites: Sites): Promise<ReadonlyMap<string, readonly DevicesUnit[]>> {
  const { rows } = await db.query<{ metric: string; units: DevicesUnit[] }>(
    `SELECT metric, json_agg(json_build_object('unit', unit, 'devices', devices) ORDER BY place) AS units FROM (
       SELECT m.name AS metric, u.unit, count(*) AS devices, row_number() OVER (PARTITION BY m.id ORDER BY count(*) DESC, u.unit) AS place
       FROM device_unit u JOIN device d ON d.id = u.device_id JOIN metric m ON m.id = u.metric_id
       WHERE $1::integer[] IS NULL OR d.site_id = ANY ($1) GROUP BY m.id, u.unit) AS counted
     WHERE place <= $2 GROUP BY metric`,
    [sites === "all" ? null : sites, MOST_UNITS],
  );
  return new Map(rows.map(({ metric, units }) => [metric, units]));
}

/** All units that these devices have of their own, by device and metric. */
export async function ownUnitsOf(
  db: Pool,
  devices: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  if (devices.length === 0) return new Map();
  const { rows } = await db.query<{ device: string; metric: string; unit: string }>(
    `SELECT d.name AS device, m.name AS metric, u.unit FROM device_unit u
     JOIN device d ON d.id = u.device_id JOIN metric m ON m.id = u.metric_id WHERE d.name = ANY ($1)`,
    [devices],
  );
  const units = new Map<string, Map<string, string>>();
  for (const { device, metric, unit } of rows) {
    const of = units.get(device);
    if (of) of.set(metric, unit);
    else units.set(device, new Map([[metric, unit]]));
  }
  return units;
}

/** The unit of a metric at a device: its own, or the metric's. */
export function unitAt(
  device: { readonly units: ReadonlyMap<string, string> },
  metric: { readonly name: string; readonly unit: string | null },
): string | null {
  return device.units.get(metric.name) ?? metric.unit;
}

function toMetric(
  row: Prisma.MetricGetPayload<{ include: ReturnType<typeof inFull> }>,
  firstSeen: Date,
): CatalogMetric {
  const { id, name, kind, unit, min, max, meaning } = row;
  const { description, owner, decimals, color, warningBelow, warningAbove, criticalBelow, criticalAbove } = row;
  return {
    ...{ key: id, name, kind: kind as MetricKind, unit, min, max, meaning: meaning as MetricMeaning },
    shown: { description, owner, decimals, color, warningBelow, warningAbove, criticalBelow, criticalAbove },
    aliases: row.aliases.map((alias) => alias.name),
    ...{ ownUnits: row._count.units, firstSeen: firstSeen.getTime() },
  };
}
