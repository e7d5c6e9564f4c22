import type { Pool } from "pg";

/** How many notifications are kept, by status. */
export async function countNotifications(
  pool: Pool,
): Promise<readonly { readonly status: string; readonly notifications: number }[]> {
  const { rows } = await pool.query(
    `SELECT status, count(*)::integer AS notifications FROM notification GROUP BY 1 ORDER BY 1`,
  );
  return rows;
}
