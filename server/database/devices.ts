import { type DeviceStateName, lastSeenIn } from "@/server/domain/device-state";
import type { EpochMs, MetricKind } from "@/server/domain/terms";
import type { Prisma } from "./generated/client";
import type { PrismaClient } from "./prisma";

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

export type DeviceSort = "id" | "lastSeen" | "messages";

/** The device a page follows: its place in the order, and its key among equals. */
export interface DevicePlace {
  readonly at: string | number | null;
  readonly key: number;
}

export interface DeviceFilter {
  readonly search?: string | undefined;
  readonly site?: string | undefined;
  readonly state?: DeviceStateName | undefined;
  readonly now: EpochMs;
  readonly staleSeconds: number;
}

export interface DevicePageQuery extends DeviceFilter {
  readonly sort: DeviceSort;
  readonly descending: boolean;
  readonly limit: number;
  readonly after: DevicePlace | null;
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

/** One page of devices in a steady order, how many match in all, and every site. Never heard from sorts last either way. */
export async function findDevices(
  prisma: PrismaClient,
  query: DevicePageQuery,
): Promise<{ devices: CatalogDevice[]; total: number; sites: string[] }> {
  const where = matching(query);
  const [rows, total, sites] = await Promise.all([
    prisma.device.findMany({
      where: query.after === null ? where : { AND: [where, following(query.sort, query.descending, query.after)] },
      orderBy: order(query.sort, query.descending),
      include: withSite,
      take: query.limit,
    }),
    prisma.device.count({ where }),
    prisma.site.findMany({ orderBy: { name: "asc" }, select: { name: true } }),
  ]);
  return { devices: rows.map(toDevice), total, sites: sites.map((site) => site.name) };
}

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

/** Where a device stands in an order. */
export function placeOf(device: CatalogDevice, sort: DeviceSort): DevicePlace {
  const at = sort === "id" ? device.name : sort === "lastSeen" ? device.lastSeen : device.messages;
  return { at, key: device.key };
}

function matching({ search, site, state, now, staleSeconds }: DeviceFilter): Prisma.DeviceWhereInput {
  const where: Prisma.DeviceWhereInput = {};
  if (search) {
    // Prisma hands the text to ILIKE as it is: its wildcards must stand for themselves.
    const contains = { contains: search.replace(/[\\%_]/g, "\\$&"), mode: "insensitive" } as const;
    where.OR = [{ name: contains }, { type: contains }, { site: { name: contains } }];
  }
  if (site !== undefined) where.site = { name: site };
  if (state === "new") where.lastSeen = null;
  else if (state !== undefined) {
    const { after, until } = lastSeenIn(state, now, staleSeconds);
    where.lastSeen = {
      not: null,
      ...(after === null ? {} : { gt: new Date(after) }),
      ...(until === null ? {} : { lte: new Date(until) }),
    };
  }
  return where;
}

function order(sort: DeviceSort, descending: boolean): Prisma.DeviceOrderByWithRelationInput[] {
  const direction = descending ? "desc" : "asc";
  if (sort === "id") return [{ name: direction }];
  if (sort === "messages") return [{ messages: direction }, { id: "asc" }];
  return [{ lastSeen: { sort: direction, nulls: "last" } }, { id: "asc" }];
}

function following(sort: DeviceSort, descending: boolean, after: DevicePlace): Prisma.DeviceWhereInput {
  const beyond = descending ? "lt" : "gt";
  if (sort === "id") return { name: { [beyond]: String(after.at) } };
  if (sort === "messages") {
    const messages = BigInt(Number(after.at));
    return { OR: [{ messages: { [beyond]: messages } }, { messages, id: { gt: after.key } }] };
  }
  if (after.at === null) return { lastSeen: null, id: { gt: after.key } };
  const lastSeen = new Date(after.at);
  return { OR: [{ lastSeen: { [beyond]: lastSeen } }, { lastSeen, id: { gt: after.key } }, { lastSeen: null }] };
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
