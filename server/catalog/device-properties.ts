import type { PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { DEVICE_LABELS } from "@/server/domain/device-labels";
import type { EpochMs } from "@/server/domain/terms";
import { DISCOVERY_LOCK, ensureSite, findSite } from "./catalog-writes";
import { atSites } from "./devices";
import type { WritingContext } from "@/server/postgres/context";
import { type PrismaClient, prismaIn } from "@/server/postgres/prisma";

/** A label of a device. */
interface DeviceLabel {
  readonly value: string;
  /** True if a person set it: what messages say doesn't count. */
  readonly byPerson: boolean;
}

/** The properties that people may write about a device. */
export interface DeviceProperties {
  readonly site: string | null;
  readonly type: string | null;
  readonly notes: string | null;
  /** Those of site and type that a person has set: messages don't fill these in. */
  readonly byPerson: readonly ("site" | "type")[];
  readonly labels: ReadonlyMap<string, DeviceLabel>;
  readonly isRetired: boolean;
  /** Time of the last change to any of them but labels of messages, epoch milliseconds; grows with every change. */
  readonly updatedAt: EpochMs;
}

/** Changes of properties; an absent one stays as it is, null removes it. */
export interface PropertyChanges {
  readonly site?: string | null | undefined;
  readonly type?: string | null | undefined;
  readonly notes?: string | null | undefined;
  /** By key; null takes a person's word back, so that what messages say counts again. */
  readonly labels?: Readonly<Record<string, string | null>> | undefined;
  /** Out of lists, counts and silence; false undoes it. */
  readonly retired?: boolean | undefined;
}

/** The properties of the device of this name at one of these sites, or null. */
export async function findProperties(
  prisma: PrismaClient,
  name: string,
  sites: Sites,
): Promise<DeviceProperties | null> {
  const row = await prisma.device.findUnique({
    where: { name, ...atSites(sites) },
    select: {
      ...{
        site: { select: { id: true, name: true } },
        type: true,
        notes: true,
        siteByPerson: true,
        typeByPerson: true,
        updatedAt: true,
        retiredAt: true,
      },
      labels: { orderBy: { key: "asc" } },
    },
  });
  if (row === null) return null;
  return {
    site: row.site?.name ?? null,
    type: row.type,
    notes: row.notes,
    byPerson: [...(row.siteByPerson ? (["site"] as const) : []), ...(row.typeByPerson ? (["type"] as const) : [])],
    labels: new Map(row.labels.map(({ key, value, byPerson }) => [key, { value, byPerson }])),
    isRetired: row.retiredAt !== null,
    updatedAt: row.updatedAt.getTime(),
  };
}

/**
 * Writes properties as a person; a site that isn't there yet is added.
 * @param expected the `updatedAt` the changes were made from; null to write whatever is there.
 * @returns what was there before; "missing" without such a device at the call's sites, "elsewhere" if it would be at another one, or at none,
 *   afterwards, "changed" if it isn't as expected any more, "full" if it would have too many labels; then the transaction is to be rolled back.
 */
export async function writeProperties(
  { tx, now, sites }: Pick<WritingContext, "tx" | "now" | "sites">,
  name: string,
  changes: PropertyChanges,
  expected: EpochMs | null,
): Promise<DeviceProperties | "missing" | "elsewhere" | "changed" | "full"> {
  const { site, type, notes, labels, retired } = changes;
  // Discovery too writes sites and devices: one after the other they can't lock each other out.
  await tx.query(DISCOVERY_LOCK);
  const { rows } = await tx.query<{ id: number; at: Date; siteId: number | null }>(
    `SELECT id, updated_at AS at, site_id AS "siteId" FROM device WHERE name = $1 FOR NO KEY UPDATE`,
    [name],
  );
  const isOurs = (siteId: number | null) => sites === "all" || (siteId !== null && sites.includes(siteId));
  const at = rows[0]?.at.getTime();
  if (at === undefined || !isOurs(rows[0]!.siteId)) return "missing";
  if (site !== undefined && sites !== "all" && !isOurs(site === null ? null : await findSite(tx, site)))
    return "elsewhere";
  if (expected !== null && at !== expected) return "changed";
  const before = await findProperties(prismaIn(tx), name, sites);
  const place = site ? { connect: { id: await ensureSite(tx, site) } } : { disconnect: true };
  await prismaIn(tx).device.update({
    where: { name },
    data: {
      ...(site !== undefined && { site: place, siteByPerson: true }),
      ...(type !== undefined && { type, typeByPerson: true }),
      ...(notes !== undefined && { notes }),
      ...(retired !== undefined &&
        retired !== before?.isRetired && { retiredAt: retired ? new Date(now) : null, returnedAt: null }),
      updatedAt: new Date(Math.max(now, at + 1)),
    },
  });
  const hasRoom = labels === undefined || (await writeLabels(tx, rows[0]!.id, labels));
  return hasRoom ? before! : "full";
}

/** The outcome of a change for one device. */
export type ChangeOutcome = "changed" | "missing" | "elsewhere" | "full";

/** Writes the same properties of several devices as a person; what can't be written of one is left out, of it alone. */
export async function writePropertiesOfMany(
  ctx: Pick<WritingContext, "tx" | "now" | "sites">,
  names: readonly string[],
  changes: PropertyChanges,
): Promise<Map<string, { readonly outcome: ChangeOutcome; readonly before: DeviceProperties | null }>> {
  const { tx } = ctx;
  await tx.query(DISCOVERY_LOCK);
  // The order of ids is the one in which all who lock several devices do so.
  await tx.query(`SELECT FROM device WHERE name = ANY ($1) ORDER BY id FOR NO KEY UPDATE`, [names]);
  const outcomes = new Map<string, { outcome: ChangeOutcome; before: DeviceProperties | null }>();
  for (const name of names) {
    await tx.query("SAVEPOINT one_device");
    const result = await writeProperties(ctx, name, changes, null);
    if (typeof result === "object") outcomes.set(name, { outcome: "changed", before: result });
    else {
      await tx.query("ROLLBACK TO SAVEPOINT one_device");
      outcomes.set(name, { outcome: result === "changed" ? "missing" : result, before: null });
    }
    await tx.query("RELEASE SAVEPOINT one_device");
  }
  return outcomes;
}

/** Writes labels as a person, of a device whose row is locked. @returns false if there are too many then. */
async function writeLabels(
  tx: PoolClient,
  device: number,
  labels: Readonly<Record<string, string | null>>,
): Promise<boolean> {
  const set = Object.entries(labels).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  const taken = Object.keys(labels).filter((key) => labels[key] === null);
  await tx.query(`DELETE FROM device_label WHERE device_id = $1 AND key = ANY ($2) AND said IS NULL`, [device, taken]);
  await tx.query(`UPDATE device_label SET value = said, by_person = false WHERE device_id = $1 AND key = ANY ($2)`, [
    device,
    taken,
  ]);
  await tx.query(
    `INSERT INTO device_label (device_id, key, value, by_person)
     SELECT $1, key, value, true FROM unnest($2::text[], $3::text[]) AS l (key, value)
     ON CONFLICT (device_id, key) DO UPDATE SET value = excluded.value, by_person = true`,
    [device, set.map(([key]) => key), set.map(([, value]) => value)],
  );
  // There may be room now for one that messages say.
  await tx.query(`UPDATE device SET said_labels = NULL WHERE id = $1`, [device]);
  const { rows } = await tx.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM device_label WHERE device_id = $1`,
    [device],
  );
  return rows[0]!.count <= DEVICE_LABELS.most;
}
