import type { Pool } from "pg";
import { KEPT, type Kept, removedBefore } from "@/server/domain/retention";
import { inOrder, ruleChooser, type SeriesMarks, type SeriesRule } from "@/server/domain/series-rules";
import type { EpochMs } from "@/server/domain/terms";
import { monthOf, startOf } from "@/server/postgres/months";
import { errorCode } from "@/server/postgres/start-error";
import { timeText } from "@/server/postgres/time-text";
import { withTransaction } from "@/server/postgres/transaction";
import { readSeriesRules } from "./series-rules";

/** SQLSTATE of a statement that took longer than it may. */
const CANCELLED = "57014";

/** What a rule would hold for, and remove. */
export interface SeriesEstimate {
  readonly devices: number;
  readonly series: number;
  /** The start of the month before which each kind is removed; null: it is kept for ever. */
  readonly before: Readonly<Record<Kept, EpochMs | null>>;
  /** Readings stored that are older; null: there are too many to be counted while somebody waits. */
  readonly readings: number | null;
}

/** Tells what a rule would do beside those there are, as it is set or changed. @param patienceMs for counting. */
export async function estimateRule(
  pool: Pool,
  rule: SeriesRule,
  now: EpochMs,
  patienceMs: number,
): Promise<SeriesEstimate> {
  const others = (await readSeriesRules(pool)).filter(
    ({ selects, pattern }) => selects !== rule.selects || pattern !== rule.pattern,
  );
  const choose = ruleChooser(inOrder<SeriesRule>([...others, rule]));
  const { rows } = await pool.query<{ device: number; metric: number } & SeriesMarks & { name: string }>(
    `SELECT p.device_id AS device, p.metric_id AS metric, m.name, d.type, s.name AS site FROM device_metric p
     JOIN device d ON d.id = p.device_id JOIN metric m ON m.id = p.metric_id LEFT JOIN site s ON s.id = d.site_id`,
  );
  const byDevice = new Map<number, number[]>();
  let series = 0;
  for (const { device, metric, name, type, site } of rows) {
    if (choose({ metric: name, type, site }) !== rule) continue;
    byDevice.set(device, [...(byDevice.get(device) ?? []), metric]);
    series++;
  }
  const before = Object.fromEntries(
    KEPT.map((keeps) => {
      const time = removedBefore({ days: rule[keeps], changedAt: null }, now);
      return [keeps, time === null ? null : startOf(monthOf(time))];
    }),
  ) as Record<Kept, EpochMs | null>;
  const readings = before.raw === null ? 0 : await countOlder(pool, byDevice, before.raw, patienceMs);
  return { devices: byDevice.size, series, before, readings };
}

/** Counts the readings of series that are older than `before` and not removed yet, from the hours' rollups. */
async function countOlder(
  pool: Pool,
  byDevice: ReadonlyMap<number, readonly number[]>,
  before: EpochMs,
  patienceMs: number,
): Promise<number | null> {
  const counting = withTransaction(
    pool,
    async (tx) => {
      const { rows } = await tx.query<{ n: number }>(
        `SELECT coalesce(sum(r.counts[array_position(r.metrics, m.id)]), 0)::float8 AS n
         FROM unnest($1::integer[], $2::text[]) AS k (device, metrics)
         CROSS JOIN LATERAL unnest(k.metrics::integer[]) AS m (id)
         LEFT JOIN series_edge e ON e.device_id = k.device AND e.metric_id = m.id AND e.keeps = 'raw'
         JOIN rollup_hour r ON r.device_id = k.device AND r.bucket < $3 AND r.bucket >= coalesce(e.gone_before, '-infinity')
           AND r.bucket >= coalesce((SELECT gone_before FROM retention_edge WHERE keeps = 'raw'), '-infinity')
           AND r.metrics @> ARRAY[m.id]`,
        [[...byDevice.keys()], [...byDevice.values()].map((metrics) => `{${metrics.join()}}`), timeText(before)],
      );
      return rows[0]!.n;
    },
    [`SET LOCAL statement_timeout = ${Math.round(patienceMs)}`],
  );
  return counting.catch((error: unknown) => {
    if (errorCode(error) === CANCELLED) return null;
    throw error;
  });
}
