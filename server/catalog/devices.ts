import type { EpochMs, MetricKind } from "@/server/domain/terms";
import type { Prisma } from "@/server/postgres/generated/client";
import type { PrismaClient } from "@/server/postgres/prisma";

/** A device as the catalog knows it. Times in epoch milliseconds. */
export interface CatalogDevice {
  readonly key: number;
  readonly name: string;
  readonly site: string | null;
  readonly type: string | null;
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs | null;
  readonly lastEventTime: EpochMs | null;
  readonly messages: number;
}

export interface CatalogMetric {
  readonly key: number;
  readonly name: string;
  readonly kind: MetricKind;
  readonly unit: string | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly firstSeen: EpochMs;
}

const withSite = { site: true } as const;

/** The device of this name, or null. */
export async function findDevice(prisma: PrismaClient, name: string): Promise<CatalogDevice | null> {
  const row = await prisma.device.findUnique({ where: { name }, include: withSite });
  return row && toDevice(row);
}

/** All metrics by name. */
export async function findMetrics(prisma: PrismaClient): Promise<CatalogMetric[]> {
  return (await prisma.metric.findMany({ orderBy: { name: "asc" } })).map(toMetric);
}

/** The metric of this name, or null. */
export async function findMetric(prisma: PrismaClient, name: string): Promise<CatalogMetric | null> {
  const row = await prisma.metric.findUnique({ where: { name } });
  return row && toMetric(row);
}

function toDevice(row: Prisma.DeviceGetPayload<{ include: typeof withSite }>): CatalogDevice {
  return {
    key: row.id,
    name: row.name,
    site: row.site?.name ?? null,
    type: row.type,
    firstSeen: row.firstSeen.getTime(),
    lastSeen: row.lastSeen?.getTime() ?? null,
    lastEventTime: row.lastEventTime?.getTime() ?? null,
    messages: Number(row.messages),
  };
}

function toMetric(row: Prisma.MetricGetPayload<object>): CatalogMetric {
  const { id, name, kind, unit, min, max, firstSeen } = row;
  return { key: id, name, kind: kind as MetricKind, unit, min, max, firstSeen: firstSeen.getTime() };
}
