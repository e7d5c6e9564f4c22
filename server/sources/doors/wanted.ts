import type { Pool } from "pg";

/** True if a source that is in use comes in by another door than a route. */
export async function hasDoors(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ wanted: boolean }>(
    `SELECT EXISTS (SELECT FROM source WHERE enabled AND door->>'type' <> 'http') AS wanted`,
  );
  return rows[0]!.wanted;
}
