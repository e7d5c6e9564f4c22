import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { ALL_DEFAULTS, type AllLimits } from "@/server/domain/quality/all-limits";
import type { EpochMs } from "@/server/domain/terms";

/** What people set of a series' limits; what is absent is the default. */
export type SetLimits = Partial<AllLimits>;

/** The limits of all series: the default, the metric's valid range, and what people set. */
export interface Limits {
  /** @param ownUnit whether the device has a unit of its own for the metric: its range is in another */
  of(device: number, metric: number, ownUnit: boolean): AllLimits;
}

/** Reads what the limits of series are made of; it holds for one epoch of the alert rules. */
export async function readLimits(tx: PoolClient): Promise<Limits> {
  const ranges = await tx.query<{ id: number; min: number | null; max: number | null }>(
    `SELECT id, min, max FROM metric WHERE min IS NOT NULL OR max IS NOT NULL`,
  );
  const set = await tx.query<{ device: number; metric: number; limits: SetLimits }>(
    `SELECT device_id AS device, metric_id AS metric, limits FROM quality_limit`,
  );
  const ofMetric = new Map<number, AllLimits>();
  for (const { id, min, max } of ranges.rows) ofMetric.set(id, { ...ALL_DEFAULTS, min, max });
  const inOwnUnit = new Map<number, AllLimits>();
  const ofDevice = new Map<string, SetLimits>();
  for (const { device, metric, limits } of set.rows) {
    if (device !== 0) {
      ofDevice.set(`${device} ${metric}`, limits);
      continue;
    }
    ofMetric.set(metric, { ...(ofMetric.get(metric) ?? ALL_DEFAULTS), ...limits });
    inOwnUnit.set(metric, { ...ALL_DEFAULTS, ...limits, min: null, max: null });
  }
  return {
    of(device, metric, ownUnit) {
      const common = (ownUnit ? inOwnUnit : ofMetric).get(metric) ?? ALL_DEFAULTS;
      const own = ofDevice.size === 0 ? undefined : ofDevice.get(`${device} ${metric}`);
      return own ? { ...common, ...own } : common;
    },
  };
}

/** Limits that somebody set, by the names of what they are for. */
export interface NamedLimits {
  readonly metric: string;
  readonly device: string | null;
  readonly limits: SetLimits;
  readonly updatedAt: EpochMs;
  readonly updatedBy: string;
}

/** What people set for metrics, and for devices at these sites. */
export async function listLimits(db: Pool | PoolClient, sites: Sites): Promise<NamedLimits[]> {
  const { rows } = await db.query<NamedLimits>(
    `SELECT m.name AS metric, d.name AS device, l.limits, (extract(epoch FROM l.updated_at) * 1000)::float8 AS "updatedAt", l.updated_by AS "updatedBy"
     FROM quality_limit l JOIN metric m ON m.id = l.metric_id LEFT JOIN device d ON d.id = l.device_id
     WHERE CASE WHEN $1::integer[] IS NULL THEN l.device_id = 0 OR d.id IS NOT NULL
       WHEN l.device_id = 0 THEN EXISTS (SELECT FROM device_metric p JOIN device o ON o.id = p.device_id WHERE p.metric_id = l.metric_id AND o.site_id = ANY ($1))
       ELSE d.site_id = ANY ($1) END
     ORDER BY m.name, d.name NULLS FIRST`,
    [sites === "all" ? null : sites],
  );
  return rows;
}

/** Sets the limits of a metric (device 0) or of one on a device; none are the defaults again. @returns what was set before */
export async function setLimits(
  tx: PoolClient,
  {
    metric,
    device,
    limits,
    by,
  }: { readonly metric: number; readonly device: number; readonly limits: SetLimits; readonly by: string },
): Promise<SetLimits | null> {
  const { rows } = await tx.query<{ limits: SetLimits }>(
    `DELETE FROM quality_limit WHERE metric_id = $1 AND device_id = $2 RETURNING limits`,
    [metric, device],
  );
  if (Object.keys(limits).length > 0)
    await tx.query(`INSERT INTO quality_limit (metric_id, device_id, limits, updated_by) VALUES ($1, $2, $3, $4)`, [
      metric,
      device,
      limits,
      by,
    ]);
  return rows[0]?.limits ?? null;
}
