import type { Pool, PoolClient } from "pg";
import { ProblemError } from "../problem";
import { invalid } from "../parse";

/** @throws ProblemError when it was changed since it was read. */
export function mustBeAt(row: { readonly revision: number }, revision: number): void {
  if (row.revision !== revision)
    throw new ProblemError("changed-meanwhile", "Nothing was written. Read it again, and change that.", {
      members: { current: { revision: row.revision } },
    });
}

export function missing(what: string, id: number): ProblemError {
  return new ProblemError("not-found", `There is no ${what} ${id}.`);
}

export function taken(what: string, name: string): ProblemError {
  return new ProblemError("taken", `There is a ${what} ${JSON.stringify(name)} already: choose another name.`);
}

/** True if somebody else has the name. */
export async function isTaken(
  tx: Pool | PoolClient,
  table: "channel" | "route" | "maintenance",
  name: string,
  id: number,
): Promise<boolean> {
  const { rowCount } = await tx.query(`SELECT FROM ${table} WHERE name = $1 AND id <> $2`, [name, id]);
  return (rowCount ?? 0) > 0;
}

/** @throws ProblemError naming the place of channels that aren't there. */
export async function mustBeChannels(tx: PoolClient, at: string, ids: readonly number[]): Promise<void> {
  const { rows } = await tx.query<{ id: number }>(
    `SELECT id FROM channel WHERE id = ANY ($1::integer[]) FOR KEY SHARE`,
    [ids],
  );
  const gone = ids.filter((id) => !rows.some((row) => row.id === id));
  if (gone.length > 0) throw invalid([{ at, message: `names channels that aren't there: ${gone.join(", ")}` }]);
}

/** Without the members that were left out. */
export function defined<T extends object>(changes: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) as never;
}
