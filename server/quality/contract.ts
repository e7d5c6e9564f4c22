import type { Pool } from "pg";
import type { Sites } from "@/server/domain/access";
import { ALL_DEFAULTS, type AllLimits } from "@/server/domain/quality/all-limits";
import type { ContractMetric } from "@/server/domain/quality/contract";
import type { SetLimits } from "./limits";

/** Reads the metrics of devices at these sites, of one site and one type if said, with what their checks go by; and the version of the limits. A metric that nobody gave a unit has the one that all of these devices say. */
export async function readContracted(
  pool: Pool,
  sites: Sites,
  { site, type }: { readonly site: string | null; readonly type: string | null },
): Promise<{ readonly metrics: readonly ContractMetric[]; readonly version: string }> {
  interface Row extends Omit<ContractMetric, "limits"> {
    readonly min: number | null;
    readonly max: number | null;
    readonly set: SetLimits | null;
  }
  const { rows } = await pool.query<Row>(
    `SELECT m.name, m.kind, coalesce(m.unit, said.unit) AS unit, m.owner, m.min, m.max, l.limits AS set
     FROM metric m LEFT JOIN quality_limit l ON l.metric_id = m.id AND l.device_id = 0
       CROSS JOIN LATERAL (
         SELECT count(*) AS devices, CASE WHEN count(DISTINCT u.unit) = 1 AND count(u.unit) = count(*) THEN min(u.unit) END AS unit
         FROM device_metric dm JOIN device d ON d.id = dm.device_id LEFT JOIN site s ON s.id = d.site_id
           LEFT JOIN device_unit u ON u.device_id = d.id AND u.metric_id = m.id
         WHERE dm.metric_id = m.id AND ($1::integer[] IS NULL OR d.site_id = ANY ($1)) AND ($2::text IS NULL OR s.name = (SELECT site_now($2))) AND ($3::text IS NULL OR d.type = (SELECT type_now($3)))) said
     WHERE said.devices > 0
     ORDER BY m.name`,
    [sites === "all" ? null : sites, site, type],
  );
  const { rows: epochs } = await pool.query<{ epoch: string }>(`SELECT epoch::text FROM alert_epoch`);
  const metrics = rows.map(({ min, max, set, ...metric }): ContractMetric => {
    const limits: AllLimits = { ...ALL_DEFAULTS, min, max, ...set };
    return { ...metric, limits };
  });
  return { metrics, version: `1.${epochs[0]?.epoch ?? "0"}.0` };
}
