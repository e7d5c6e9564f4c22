import type { Pool } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
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
  /** Ingest time of the goodbye by which it is silent; null if it was heard since, or never said one. */
  readonly goneAt: EpochMs | null;
  /** When a person took it out of lists and counts; null: it isn't, or it sent again since. */
  readonly retiredAt: EpochMs | null;
  /** When it sent again after it had been retired. */
  readonly returnedAt: EpochMs | null;
  /** Age at which it is stale, in seconds: its type's; null: as any device. */
  readonly staleSeconds: number | null;
  readonly messages: number;
  /** Readings refused because another value was stored at their metric and time. */
  readonly conflicts: number;
  /** Units of its own, by metric; the others are the metric's. */
  readonly units: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
}

/** A reading that was refused because another value was stored at its metric and time. */
interface LastConflict {
  readonly metric: string;
  readonly time: EpochMs;
  readonly kept: number;
  readonly refused: number;
}

const inFull = {
  site: { select: { id: true, name: true } },
  conflictMetric: true,
  units: { include: { metric: true } },
  labels: { orderBy: { key: "asc" } },
  rounded: { include: { metric: true } },
} as const;

/** The facts that are told of one device alone. */
export interface DeviceNotes {
  readonly lastConflict: LastConflict | null;
  /** Metrics with numbers that no double holds as they were sent, and the event time of the latest. */
  readonly rounded: ReadonlyMap<string, EpochMs>;
}

/** The device of this name at one of these sites, with what is told of it alone; or null. */
export async function findDevice(
  prisma: PrismaClient,
  name: string,
  sites: Sites,
): Promise<(CatalogDevice & DeviceNotes) | null> {
  const row = await prisma.device.findUnique({ where: { name, ...atSites(sites) }, include: inFull });
  if (row === null) return null;
  const rounded = new Map(row.rounded.map(({ metric, time }) => [metric.name, time.getTime()]));
  return { ...toDevice(row), lastConflict: conflictOf(row), rounded };
}

/** The condition that a row of `device` is at one of these sites. */
export function atSites(sites: Sites): { siteId?: { in: number[] } } {
  return sites === "all" ? {} : { siteId: { in: [...sites] } };
}

type DeviceInFull = Prisma.DeviceGetPayload<{ include: typeof inFull }>;

function toDevice(row: DeviceInFull): CatalogDevice {
  return {
    key: row.id,
    name: row.name,
    site: row.site?.name ?? null,
    type: row.type,
    firstSeen: row.firstSeen.getTime(),
    lastSeen: row.lastSeen?.getTime() ?? null,
    lastEventTime: row.lastEventTime?.getTime() ?? null,
    staleSeconds: row.staleSeconds,
    goneAt: row.goneAt?.getTime() ?? null,
    retiredAt: row.retiredAt?.getTime() ?? null,
    returnedAt: row.returnedAt?.getTime() ?? null,
    messages: Number(row.messages),
    conflicts: Number(row.conflicts),
    units: new Map(row.units.map(({ metric, unit }) => [metric.name, unit])),
    labels: new Map(row.labels.map(({ key, value }) => [key, value])),
  };
}

function conflictOf(row: DeviceInFull): LastConflict | null {
  const { conflictMetric, conflictTime, conflictKept: kept, conflictRefused: refused } = row;
  if (conflictMetric === null || conflictTime === null || kept === null || refused === null) return null;
  return { metric: conflictMetric.name, time: conflictTime.getTime(), kept, refused };
}

/** Those of these devices that are at one of these sites now. */
export async function seenAt(
  pool: Pool,
  sites: readonly number[],
  devices: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<[string]>({
    rowMode: "array",
    text: "SELECT name FROM device WHERE name = ANY ($1) AND site_id = ANY ($2::integer[])",
    values: [devices, sites],
  });
  return new Set(rows.map(([name]) => name));
}
