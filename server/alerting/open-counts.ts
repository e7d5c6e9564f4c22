import type { Pool } from "pg";

/** How many alerts are open, by severity and state; those beneath the alert of their site are counted, too. */
export async function countOpenAlerts(
  pool: Pool,
): Promise<readonly { readonly severity: string; readonly state: string; readonly alerts: number }[]> {
  const { rows } = await pool.query(
    `SELECT severity, state, count(a.severity)::integer AS alerts
     FROM unnest(ARRAY['warning', 'critical']) AS severity CROSS JOIN unnest(ARRAY['firing', 'recovering']) AS state
     LEFT JOIN (SELECT severity, state FROM alert WHERE ended_at IS NULL) AS a USING (severity, state) GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  return rows;
}
