import type { Pool } from "pg";

/** The names of the devices at these sites now, for stores of other engines, which know devices by name alone. */
export async function devicesAt(pool: Pool, sites: readonly number[]): Promise<string[]> {
  const { rows } = await pool.query<[string]>({
    rowMode: "array",
    text: "SELECT name FROM device WHERE site_id = ANY ($1::integer[])",
    values: [sites],
  });
  return rows.map(([name]) => name);
}
