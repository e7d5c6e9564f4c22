import type { Pool } from "pg";

/** The names of the devices, or of the sources, at these sites now: for stores of other engines, which know them by name alone. */
export async function namesAt(pool: Pool, what: "device" | "source", sites: readonly number[]): Promise<string[]> {
  const { rows } = await pool.query<[string]>({
    rowMode: "array",
    text: `SELECT name FROM ${what} WHERE site_id = ANY ($1::integer[])`,
    values: [sites],
  });
  return rows.map(([name]) => name);
}
