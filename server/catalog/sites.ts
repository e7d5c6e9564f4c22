import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { DISCOVERY_LOCK } from "./catalog-writes";
import { beginEpoch } from "./epoch";
import { giveName, isFree } from "./other-names";

/** Where devices are. A renamed site is the same one. */
export interface Site {
  readonly id: number;
  readonly name: string;
  /** Whose data that of its devices is, but for devices with a label of their own; null: nobody's. */
  readonly person: string | null;
  /** Names it had before, by which it is still found. */
  readonly others: string[];
  /** Devices at it that aren't retired. */
  readonly devices: number;
}

/** These sites, by name. @param id only this one */
export async function readSites(db: Pool | PoolClient, sites: Sites, id: number | null = null): Promise<Site[]> {
  const { rows } = await db.query<Site>(
    `SELECT s.id, s.name, s.person, ARRAY(SELECT a.name FROM site_alias a WHERE a.site_id = s.id ORDER BY 1) AS others,
       (SELECT count(*)::int FROM device d WHERE d.site_id = s.id AND d.retired_at IS NULL) AS devices
     FROM site s WHERE ($1::integer[] IS NULL OR s.id = ANY ($1)) AND ($2::integer IS NULL OR s.id = $2) ORDER BY s.name`,
    [sites === "all" ? null : sites, id],
  );
  return rows;
}

/** Gives a site another name; what its devices' messages call it still is the same site. @returns false when another has, or had, that name. */
export async function renameSite(tx: PoolClient, site: Pick<Site, "id" | "name">, name: string): Promise<boolean> {
  // Workers remember which device is where by the site's name.
  await beginEpoch(tx);
  await tx.query(DISCOVERY_LOCK);
  if (!(await isFree(tx, "site", site.id, name))) return false;
  await giveName(tx, "site", site, name);
  await tx.query(`UPDATE fleet_live SET site = $2 WHERE site = $1`, [site.name, name]);
  return true;
}
