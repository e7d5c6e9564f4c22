import type { PoolClient } from "pg";
import type { Rollup } from "@/server/domain/rollup";
import { timeText } from "@/server/postgres/time-text";
import { hourOf, type DeviceHour } from "./blocks";

/** What the rollups of a device's hour tell of series whose readings a rule has removed: it can't be made again. */
export interface KeptRollups extends DeviceHour {
  /** The hour's own; null: nothing is left of it. */
  rolled: Rollup | null;
  /** By time. */
  readonly minutes: Rollup[];
}

/** Reads what of these hours' rollups must outlive their making anew, by {@link hourKey}. The devices' rows are locked. */
export async function readKeptRollups(
  tx: PoolClient,
  hours: readonly DeviceHour[],
): Promise<ReadonlyMap<string, KeptRollups>> {
  const kept = new Map<string, KeptRollups>();
  const removed = await removedMetrics(tx, hours);
  if (removed.length === 0) return kept;
  for (const { device, isMinute, rollup } of await readRollups(tx, removed)) {
    const hour = hourOf(rollup.start);
    const key = hourKey({ device, hour });
    const own = kept.get(key) ?? { device, hour, rolled: null, minutes: [] };
    kept.set(key, own);
    if (isMinute) own.minutes.push(rollup);
    else own.rolled = rollup;
  }
  return kept;
}

export function hourKey({ device, hour }: DeviceHour): string {
  return `${device} ${hour}`;
}

/** The metrics of each hour whose readings a rule has removed there, as PostgreSQL reads an array; hours without are left out. */
async function removedMetrics(
  tx: PoolClient,
  hours: readonly DeviceHour[],
): Promise<(DeviceHour & { readonly metrics: string })[]> {
  const { rows } = await tx.query<DeviceHour & { metrics: string }>(
    `SELECT k.device, (extract(epoch FROM k.hour) * 1000)::float8 AS hour, array_agg(e.metric_id)::text AS metrics
     FROM unnest($1::integer[], $2::timestamptz[]) AS k (device, hour)
     JOIN series_edge e ON e.device_id = k.device AND e.keeps = 'raw' AND e.gone_before > k.hour GROUP BY 1, k.hour`,
    [hours.map(({ device }) => device), hours.map(({ hour }) => timeText(hour))],
  );
  return rows;
}

interface RollupRow {
  readonly device: number;
  readonly isMinute: boolean;
  readonly rollup: Rollup;
}

async function readRollups(
  tx: PoolClient,
  hours: readonly (DeviceHour & { readonly metrics: string })[],
): Promise<RollupRow[]> {
  const { rows } = await tx.query<
    Omit<Rollup, "start"> & { device: number; minute: boolean; start: number; of: number[] }
  >(
    `SELECT r.device_id AS device, r.minute, (extract(epoch FROM r.bucket) * 1000)::float8 AS start, k.metrics::integer[] AS of,
       r.metrics, r.counts, r.sums, r.mins, r.maxs, r.firsts, r.first_at AS "firstAt", r.lasts, r.last_at AS "lastAt"
     FROM unnest($1::integer[], $2::timestamptz[], $3::text[]) AS k (device, hour, metrics)
     CROSS JOIN LATERAL (
       SELECT *, false AS minute FROM rollup_hour WHERE device_id = k.device AND bucket = k.hour
       UNION ALL
       SELECT *, true FROM rollup_minute WHERE device_id = k.device AND bucket >= k.hour AND bucket < k.hour + interval '1 hour') AS r
     WHERE r.metrics && k.metrics::integer[] ORDER BY r.bucket`,
    [hours.map(({ device }) => device), hours.map(({ hour }) => timeText(hour)), hours.map(({ metrics }) => metrics)],
  );
  return rows.map(({ device, minute, start, of, ...all }) => {
    const places = all.metrics.flatMap((metric, i) => (of.includes(metric) ? [i] : []));
    const pick = (column: readonly number[]) => places.map((i) => column[i]!);
    const rollup = {
      ...{ start, metrics: pick(all.metrics), counts: pick(all.counts), sums: pick(all.sums), mins: pick(all.mins) },
      ...{ maxs: pick(all.maxs), firsts: pick(all.firsts), firstAt: pick(all.firstAt) },
      ...{ lasts: pick(all.lasts), lastAt: pick(all.lastAt) },
    };
    return { device, isMinute: minute, rollup };
  });
}
