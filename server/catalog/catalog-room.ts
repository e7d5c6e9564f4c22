import type { Pool } from "pg";

/** Counts the devices and metrics the catalog still takes; below zero when a limit was lowered. */
export async function roomInCatalog(
  pool: Pool,
  { maxDevices, maxMetrics }: { readonly maxDevices: number; readonly maxMetrics: number },
): Promise<{ devices: number; metrics: number }> {
  const { rows } = await pool.query<{ devices: number; metrics: number }>(
    "SELECT (SELECT count(*)::integer FROM device) AS devices, (SELECT count(*)::integer FROM metric) AS metrics",
  );
  return { devices: maxDevices - rows[0]!.devices, metrics: maxMetrics - rows[0]!.metrics };
}
