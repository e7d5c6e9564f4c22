import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { DISCOVERY_LOCK, lockDevices } from "./catalog-writes";
import { giveName, isFree } from "./other-names";

/** What devices are. A renamed type is the same one. */
export interface DeviceType {
  readonly id: number;
  readonly name: string;
  /** Names it had before, by which it is still found. */
  readonly others: string[];
  /** The age at which its devices are stale, in seconds; null: as any device. */
  readonly staleSeconds: number | null;
  /** Devices of it that aren't retired. */
  readonly devices: number;
}

/** The types that devices at these sites have, by name; with all sites, those without devices too. @param id only this one */
export async function readTypes(db: Pool | PoolClient, sites: Sites, id: number | null = null): Promise<DeviceType[]> {
  const { rows } = await db.query<DeviceType>(
    `SELECT t.id, t.name, ARRAY(SELECT a.name FROM device_type_alias a WHERE a.type_id = t.id ORDER BY 1) AS others, t.stale_seconds AS "staleSeconds", (count(d.id) FILTER (WHERE d.retired_at IS NULL))::int AS devices
     FROM device_type t LEFT JOIN device d ON d.type = t.name AND ($1::integer[] IS NULL OR d.site_id = ANY ($1))
     WHERE $2::integer IS NULL OR t.id = $2
     GROUP BY t.id HAVING $1::integer[] IS NULL OR count(d.id) > 0 ORDER BY t.name`,
    [sites === "all" ? null : sites, id],
  );
  return rows;
}

/** Says at which age devices of a type are stale; null: as any device. */
export async function setStaleAfter(tx: PoolClient, type: DeviceType, seconds: number | null): Promise<void> {
  await lockDevicesOf(tx, type);
  await tx.query(`UPDATE device_type SET stale_seconds = $2 WHERE id = $1`, [type.id, seconds]);
  await tx.query(`UPDATE device SET stale_seconds = $2 WHERE type = $1`, [type.name, seconds]);
}

/** Gives a type another name; its devices follow by their key. @returns false when another has, or had, that name. */
export async function renameType(tx: PoolClient, type: DeviceType, name: string): Promise<boolean> {
  await lockDevicesOf(tx, type);
  if (!(await isFree(tx, "type", type.id, name))) return false;
  await giveName(tx, "type", type, name);
  return true;
}

/** Locks the devices of a type, as discovery and batches do: one after the other, none locks another out. */
async function lockDevicesOf(tx: PoolClient, { name }: DeviceType): Promise<void> {
  await tx.query(DISCOVERY_LOCK);
  const { rows } = await tx.query<{ id: number }>(`SELECT id FROM device WHERE type = $1`, [name]);
  await lockDevices(
    tx,
    rows.map(({ id }) => id),
  );
}
