import type { Pool, PoolClient } from "pg";

/** What a page is asked for, as it is kept. */
export interface KeptView {
  readonly id: number;
  /** Whose it is; null: everyone's. */
  readonly accountId: number | null;
  /** The name of who saved it; null: a key, or somebody who is no longer here. */
  readonly by: string | null;
  readonly page: string;
  readonly name: string;
  readonly query: string;
  readonly onOverview: boolean;
  readonly onWall: boolean;
}

/** What people say of a view. */
export type ViewSaid = Omit<KeptView, "id" | "by">;

const SELECT = `SELECT v.id, v.account_id AS "accountId", a.name AS by, v.page, v.name, v.query, v.on_overview AS "onOverview", v.on_wall AS "onWall"
  FROM saved_view v LEFT JOIN account a ON a.id = v.made_by`;
/** $1 is an account, or null for whoever has no own views. */
const SEEN = `(v.account_id IS NULL OR v.account_id = $1)`;

/** The views of everyone and of one account, in order. @param account null: everyone's alone */
export async function listViews(tx: Pool | PoolClient, account: number | null): Promise<KeptView[]> {
  return (await tx.query<KeptView>(`${SELECT} WHERE ${SEEN} ORDER BY v.place, v.id`, [account])).rows;
}

/** Lets one after the other write: places are of all views together. Until the transaction ends. */
export async function lockViews(tx: PoolClient): Promise<void> {
  await tx.query(`LOCK TABLE saved_view IN SHARE ROW EXCLUSIVE MODE`);
}

/** A view that this account sees, or null. */
export async function findView(tx: PoolClient, id: number, account: number | null): Promise<KeptView | null> {
  return (await tx.query<KeptView>(`${SELECT} WHERE v.id = $2 AND ${SEEN}`, [account, id])).rows[0] ?? null;
}

/** How many views an account has, or everyone has together. */
export async function countViews(tx: PoolClient, account: number | null): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM saved_view WHERE account_id IS NOT DISTINCT FROM $1`,
    [account],
  );
  return rows[0]!.count;
}

/** Adds a view after all others. @param madeBy an account, or null. @returns its number, or null when there is one of that name already */
export async function insertView(tx: PoolClient, said: ViewSaid, madeBy: number | null): Promise<number | null> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO saved_view (account_id, made_by, page, name, query, on_overview, on_wall, place)
     SELECT $1, $2, $3, $4, $5, $6, $7, coalesce(max(place), 0) + 1 FROM saved_view
     ON CONFLICT (account_id, page, name) DO NOTHING RETURNING id`,
    [said.accountId, madeBy, said.page, said.name, said.query, said.onOverview, said.onWall],
  );
  return rows[0]?.id ?? null;
}

/** Writes a view anew. @returns false when there is another of that name already */
export async function updateView(tx: PoolClient, id: number, said: ViewSaid): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE saved_view SET account_id = $2, page = $3, name = $4, query = $5, on_overview = $6, on_wall = $7
     WHERE id = $1 AND NOT EXISTS (SELECT FROM saved_view o WHERE o.id <> $1 AND o.account_id IS NOT DISTINCT FROM $2 AND o.page = $3 AND o.name = $4)`,
    [id, said.accountId, said.page, said.name, said.query, said.onOverview, said.onWall],
  );
  return rowCount === 1;
}

/** Puts a view before another, or after all with null. @returns false when this account sees no such other */
export async function placeView(
  tx: PoolClient,
  id: number,
  before: number | null,
  account: number | null,
): Promise<boolean> {
  if (before === id) return true;
  const { rows } = await tx.query<{ place: number | null }>(
    before === null
      ? `SELECT max(place) + 1 AS place FROM saved_view`
      : `SELECT place FROM saved_view v WHERE v.id = $2 AND ${SEEN}`,
    before === null ? [] : [account, before],
  );
  const place = rows[0]?.place ?? null;
  if (place === null) return false;
  await tx.query(
    `UPDATE saved_view SET place = CASE WHEN id = $1 THEN $2 ELSE place + 1 END WHERE id = $1 OR place >= $2`,
    [id, place],
  );
  return true;
}

/** Removes a view. */
export async function removeView(tx: PoolClient, id: number): Promise<void> {
  await tx.query(`DELETE FROM saved_view WHERE id = $1`, [id]);
}
