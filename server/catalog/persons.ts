import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { PERSON_LABELS } from "@/server/domain/device-labels";

/** A device whose data is a person's. */
export interface PersonalDevice {
  readonly key: number;
  readonly name: string;
  readonly site: string | null;
  readonly messages: number;
  /** Why it is the person's: a label of its own, or the person of its site. */
  readonly by: "label" | "site";
}

/**
 * Finds the devices at these sites that are a person's: by a label `person` or `owner`, or by their site, unless a label `person` names somebody else.
 * By name.
 */
export async function findPersonalDevices(
  db: Pool | PoolClient,
  person: string,
  sites: Sites,
): Promise<PersonalDevice[]> {
  const { rows } = await db.query<PersonalDevice>(
    `SELECT d.id AS key, d.name, s.name AS site, d.messages::float8 AS messages, CASE WHEN l.own THEN 'label' ELSE 'site' END AS by
     FROM device d LEFT JOIN site s ON s.id = d.site_id
     CROSS JOIN LATERAL (SELECT coalesce(bool_or(value = $2), false) AS own, coalesce(bool_or(key = 'person'), false) AS is_said
       FROM device_label WHERE device_id = d.id AND key = ANY ($1::text[])) AS l
     WHERE ($3::integer[] IS NULL OR d.site_id = ANY ($3)) AND (l.own OR (s.person = $2 AND NOT l.is_said)) ORDER BY d.name`,
    [PERSON_LABELS, person, sites === "all" ? null : sites],
  );
  return rows;
}

/** The sites that are said to be a person's, by name. */
export async function findPersonalSites(db: Pool | PoolClient, person: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>("SELECT name FROM site WHERE person = $1 ORDER BY 1", [person]);
  return rows.map(({ name }) => name);
}

/** Says whose a site is; null: nobody's in particular. */
export async function setSitePerson(tx: PoolClient, site: number, person: string | null): Promise<void> {
  await tx.query("UPDATE site SET person = $2 WHERE id = $1", [site, person]);
}

/** Takes a person's name from the sites that were theirs. */
export async function forgetPerson(tx: PoolClient, person: string): Promise<void> {
  await tx.query("UPDATE site SET person = NULL WHERE person = $1", [person]);
}
