import type { Pool, PoolClient } from "pg";

/** Names under which metrics are sent, beside their own: the metric's name by the other one. */
export async function readAliases(db: Pool | PoolClient): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ alias: string; name: string }>(
    `SELECT a.name AS alias, m.name FROM metric_alias a JOIN metric m ON m.id = a.metric_id`,
  );
  return new Map(rows.map(({ alias, name }) => [alias, name]));
}

/** What a metric of any of its names is called; a name of none stays as it is. */
export async function readOwnName(db: Pool | PoolClient, name: string): Promise<string> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT m.name FROM metric_alias a JOIN metric m ON m.id = a.metric_id WHERE a.name = $1`,
    [name],
  );
  return rows[0]?.name ?? name;
}

/** The metric that is sent under another name, or null. */
export async function findByAlias(db: Pool | PoolClient, name: string): Promise<number | null> {
  const { rows } = await db.query<{ id: number }>(`SELECT metric_id AS id FROM metric_alias WHERE name = $1`, [name]);
  return rows[0]?.id ?? null;
}

/** Keeps a name for a metric, with those of `from`, whose place it takes. The catalog is the transaction's alone. */
export async function keepAlias(tx: PoolClient, name: string, metric: number, from: number | null): Promise<void> {
  if (from !== null) await tx.query(`UPDATE metric_alias SET metric_id = $2 WHERE metric_id = $1`, [from, metric]);
  await tx.query(
    `INSERT INTO metric_alias (name, metric_id) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET metric_id = excluded.metric_id`,
    [name, metric],
  );
}

/** Takes a name away from a metric. The catalog is the transaction's alone. @returns false if it isn't one of its. */
export async function takeAlias(tx: PoolClient, name: string, metric: number): Promise<boolean> {
  const { rowCount } = await tx.query(`DELETE FROM metric_alias WHERE name = $1 AND metric_id = $2`, [name, metric]);
  return rowCount !== 0;
}
