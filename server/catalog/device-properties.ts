import type { PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { DISCOVERY_LOCK } from "./catalog-writes";
import { atSites } from "./devices";
import type { WritingContext } from "@/server/postgres/context";
import { type PrismaClient, prismaIn } from "@/server/postgres/prisma";

/** The properties that people may write about a device. */
export interface DeviceProperties {
  readonly site: string | null;
  readonly type: string | null;
  readonly notes: string | null;
  /** Those of site and type that a person has set: messages don't fill these in. */
  readonly byPerson: readonly ("site" | "type")[];
  /** Time of the last change to any of them, epoch milliseconds; grows with every change. */
  readonly updatedAt: EpochMs;
}

/** Changes of properties; an absent one stays as it is, null removes it. */
export interface PropertyChanges {
  readonly site?: string | null | undefined;
  readonly type?: string | null | undefined;
  readonly notes?: string | null | undefined;
}

/** The properties of the device of this name at one of these sites, or null. */
export async function findProperties(
  prisma: PrismaClient,
  name: string,
  sites: Sites,
): Promise<DeviceProperties | null> {
  const row = await prisma.device.findUnique({
    where: { name, ...atSites(sites) },
    select: { site: true, type: true, notes: true, siteByPerson: true, typeByPerson: true, updatedAt: true },
  });
  if (row === null) return null;
  return {
    site: row.site?.name ?? null,
    type: row.type,
    notes: row.notes,
    byPerson: [...(row.siteByPerson ? (["site"] as const) : []), ...(row.typeByPerson ? (["type"] as const) : [])],
    updatedAt: row.updatedAt.getTime(),
  };
}

/**
 * Writes properties as a person; a site that isn't there yet is added.
 * @param expected the `updatedAt` the changes were made from; null to write whatever is there.
 * @returns what was there before; "missing" without such a device at the call's sites, "elsewhere" if it would be at another one, or at none,
 *   afterwards, "changed" if it isn't as expected any more; all three write nothing.
 */
export async function writeProperties(
  { tx, now, sites }: Pick<WritingContext, "tx" | "now" | "sites">,
  name: string,
  changes: PropertyChanges,
  expected: EpochMs | null,
): Promise<DeviceProperties | "missing" | "elsewhere" | "changed"> {
  const { site, type, notes } = changes;
  // Discovery too writes sites and devices: one after the other they can't lock each other out.
  await tx.query(DISCOVERY_LOCK);
  const { rows } = await tx.query<{ at: Date; siteId: number | null }>(
    `SELECT updated_at AS at, site_id AS "siteId" FROM device WHERE name = $1 FOR NO KEY UPDATE`,
    [name],
  );
  const isOurs = (siteId: number | null) => sites === "all" || (siteId !== null && sites.includes(siteId));
  const at = rows[0]?.at.getTime();
  if (at === undefined || !isOurs(rows[0]!.siteId)) return "missing";
  if (site !== undefined && sites !== "all" && !isOurs(site === null ? null : await siteNamed(tx, site)))
    return "elsewhere";
  if (expected !== null && at !== expected) return "changed";
  const before = await findProperties(prismaIn(tx), name, sites);
  const place = site ? { connectOrCreate: { where: { name: site }, create: { name: site } } } : { disconnect: true };
  await prismaIn(tx).device.update({
    where: { name },
    data: {
      ...(site !== undefined && { site: place, siteByPerson: true }),
      ...(type !== undefined && { type, typeByPerson: true }),
      ...(notes !== undefined && { notes }),
      updatedAt: new Date(Math.max(now, at + 1)),
    },
  });
  return before!;
}

async function siteNamed(tx: PoolClient, name: string): Promise<number | null> {
  const { rows } = await tx.query<{ id: number }>(`SELECT id FROM site WHERE name = $1`, [name]);
  return rows[0]?.id ?? null;
}
