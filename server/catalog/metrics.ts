import type { PoolClient } from "pg";
import type { EpochMs, MetricKind } from "@/server/domain/terms";
import type { Prisma } from "@/server/postgres/generated/client";
import type { PrismaClient } from "@/server/postgres/prisma";

/** The origin of a metric's unit and range. */
type MetricMeaning = "none" | "guessed" | "set";

export interface CatalogMetric {
  readonly key: number;
  readonly name: string;
  readonly kind: MetricKind;
  /** The unit of all devices that have none of their own. */
  readonly unit: string | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly meaning: MetricMeaning;
  /** Devices with a unit of their own. */
  readonly ownUnits: number;
  readonly firstSeen: EpochMs;
}

const withOwnUnits = { _count: { select: { units: true } } } as const;

/** All metrics by name. */
export async function findMetrics(prisma: PrismaClient): Promise<CatalogMetric[]> {
  return (await prisma.metric.findMany({ orderBy: { name: "asc" }, include: withOwnUnits })).map(toMetric);
}

/** The metric of this name, or null. */
export async function findMetric(prisma: PrismaClient, name: string): Promise<CatalogMetric | null> {
  const row = await prisma.metric.findUnique({ where: { name }, include: withOwnUnits });
  return row && toMetric(row);
}

/** Says what a metric means, for all devices. */
export async function describeMetric(
  prisma: PrismaClient,
  key: number,
  meaning: { readonly unit: string | null; readonly min: number | null; readonly max: number | null },
): Promise<void> {
  await prisma.metric.updateMany({ where: { id: key }, data: { ...meaning, meaning: "set" } });
}

/**
 * Gives devices a unit of their own, or takes it away with null.
 * @param unsetOnly leaves those alone that have one.
 * @returns which of them are not there.
 */
export async function setOwnUnits(
  tx: PoolClient,
  metric: number,
  { devices, unit, unsetOnly }: { devices: readonly string[]; unit: string | null; unsetOnly: boolean },
): Promise<string[]> {
  // The order of ids is the one in which all who lock several devices do so.
  const { rows } = await tx.query<{ id: number; name: string }>(
    `SELECT id, name FROM device WHERE name = ANY ($1) ORDER BY id FOR KEY SHARE`,
    [devices],
  );
  const ids = rows.map(({ id }) => id);
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

/** The unit of a metric at a device: its own, or the metric's. */
export function unitAt(
  device: { readonly units: ReadonlyMap<string, string> },
  metric: { readonly name: string; readonly unit: string | null },
): string | null {
  return device.units.get(metric.name) ?? metric.unit;
}

function toMetric(row: Prisma.MetricGetPayload<{ include: typeof withOwnUnits }>): CatalogMetric {
  const { id, name, kind, unit, min, max, meaning, firstSeen } = row;
  return {
    ...{ key: id, name, kind: kind as MetricKind, unit, min, max, meaning: meaning as MetricMeaning },
    ...{ ownUnits: row._count.units, firstSeen: firstSeen.getTime() },
  };
}
