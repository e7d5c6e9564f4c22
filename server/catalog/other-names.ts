import type { Pool, PoolClient } from "pg";

/** What has a name of its own choosing, and keeps those it had. */
const TABLES = {
  site: { own: "site", others: "site_alias", key: "site_id" },
  type: { own: "device_type", others: "device_type_alias", key: "type_id" },
} as const;

/** What can be named otherwise. */
type Named = keyof typeof TABLES;

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
