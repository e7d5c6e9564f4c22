import type { Pool, PoolClient } from "pg";

/** What has a name of its own choosing, and keeps those it had. */
const TABLES = {
  site: { own: "site", others: "site_alias", key: "site_id" },
  type: { own: "device_type", others: "device_type_alias", key: "type_id" },
} as const;

/** What can be named otherwise. */
type Named = keyof typeof TABLES;

/** The name that a site, type or metric of a name has now; a name that none had before stays as it is. */
export type NameNow = (of: Named | "metric", name: string) => string;

/** Reads which names are old ones, and of what. */
export async function readNamesNow(db: Pool | PoolClient): Promise<NameNow> {
  const { rows } = await db.query<{ of: string; name: string; now: string }>(
    `SELECT 'site' AS of, a.name, s.name AS now FROM site_alias a JOIN site s ON s.id = a.site_id
     UNION ALL SELECT 'type', a.name, t.name FROM device_type_alias a JOIN device_type t ON t.id = a.type_id
     UNION ALL SELECT 'metric', a.name, m.name FROM metric_alias a JOIN metric m ON m.id = a.metric_id`,
  );
  const now = new Map(rows.map((row) => [`${row.of} ${row.name}`, row.now]));
  return (of, name) => now.get(`${of} ${name}`) ?? name;
}

/** True if none but this one has, or had, a name. */
export async function isFree(db: Pool | PoolClient, of: Named, id: number, name: string): Promise<boolean> {
  const { own, others, key } = TABLES[of];
  const { rowCount } = await db.query(
    `SELECT FROM ${own} WHERE name = $2 AND id <> $1 UNION ALL SELECT FROM ${others} WHERE name = $2 AND ${key} <> $1`,
    [id, name],
  );
  return rowCount === 0;
}

/** Gives a site or type a name that is free; the one it had stays another name of it, and what is known of its devices' past goes with it. */
export async function giveName(
  tx: PoolClient,
  of: Named,
  { id, name }: { readonly id: number; readonly name: string },
  to: string,
): Promise<void> {
  const { own, others, key } = TABLES[of];
  await tx.query(`DELETE FROM ${others} WHERE name = $1`, [to]);
  await tx.query(`UPDATE ${own} SET name = $2 WHERE id = $1`, [id, to]);
  await tx.query(`INSERT INTO ${others} (name, ${key}) VALUES ($2, $1)`, [id, name]);
  // That a type's devices follow its name isn't a change of what they are.
  await tx.query(`DELETE FROM device_past WHERE part = $2 AND before = $1 AND until = now()::timestamptz(3)`, [
    name,
    of,
  ]);
  await tx.query(`UPDATE device_past SET before = $3 WHERE part = $2 AND before = $1`, [name, of, to]);
}
