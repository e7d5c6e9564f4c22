import type { PoolClient } from "pg";
import { DEFAULT_LIMITS, type SeriesLimits } from "@/server/domain/quality/series-checks";

/** What people set of a series' limits; what is absent is the default. */
export type SetLimits = Partial<SeriesLimits>;

/** The limits of all series: the default, the metric's valid range, and what people set. */
export interface Limits {
  /** @param ownUnit whether the device has a unit of its own for the metric: its range is in another */
  of(device: number, metric: number, ownUnit: boolean): SeriesLimits;
}

/** Reads what the limits of series are made of; it holds for one epoch of the alert rules. */
export async function readLimits(tx: PoolClient): Promise<Limits> {
  const ranges = await tx.query<{ id: number; min: number | null; max: number | null }>(
    `SELECT id, min, max FROM metric WHERE min IS NOT NULL OR max IS NOT NULL`,
  );
  const set = await tx.query<{ device: number; metric: number; limits: SetLimits }>(
    `SELECT device_id AS device, metric_id AS metric, limits FROM quality_limit`,
  );
  const ofMetric = new Map<number, SeriesLimits>();
  for (const { id, min, max } of ranges.rows) ofMetric.set(id, { ...DEFAULT_LIMITS, min, max });
  const inOwnUnit = new Map<number, SeriesLimits>();
  const ofDevice = new Map<string, SetLimits>();
  for (const { device, metric, limits } of set.rows) {
    if (device !== 0) {
      ofDevice.set(`${device} ${metric}`, limits);
      continue;
    }
    ofMetric.set(metric, { ...(ofMetric.get(metric) ?? DEFAULT_LIMITS), ...limits });
    inOwnUnit.set(metric, { ...DEFAULT_LIMITS, ...limits, min: null, max: null });
  }
  return {
    of(device, metric, ownUnit) {
      const common = (ownUnit ? inOwnUnit : ofMetric).get(metric) ?? DEFAULT_LIMITS;
      const own = ofDevice.size === 0 ? undefined : ofDevice.get(`${device} ${metric}`);
      return own ? { ...common, ...own } : common;
    },
  };
}
