import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { asksOtherKind, judgedOf, oddnessOf, selectorOf } from "@/server/domain/alerts/judged";
import type { ConditionRule, RuleSpec } from "@/server/domain/alerts/rule";
import type { Surprises } from "@/server/domain/alerts/warnings";
import { matcherOf } from "@/server/domain/series-rules";
import { readDevices } from "./load";

/** What a rule watches, and what of it may surprise. */
interface Matches extends Surprises {
  readonly series: number;
  /** A device of them, one that is heard of (the same for an hour, as long as it is), and a metric of it that is watched. */
  readonly sample: { readonly device: string; readonly metric: string | null } | null;
}

type KindOfMetric = Surprises["otherKinds"][number];

/** Counts what of these sites a rule watches, just as it is judged. */
export async function countMatches(tx: Pool | PoolClient, spec: RuleSpec, sites: Sites): Promise<Matches> {
  const { rows } = await tx.query<{ id: number }>(
    `SELECT id FROM device WHERE $1::integer[] IS NULL OR site_id = ANY ($1)`,
    [sites === "all" ? null : sites],
  );
  const found = { devices: 0, series: 0, slow: 0 };
  if (spec.kind === "pipeline") return { ...found, sample: null, units: [], otherKinds: [] };
  const ids: number[] = [];
  const watched = new Set<number>();
  const selected: number[] = [];
  const isFor = selectorOf(spec.of);
  for (const { id, facts, metrics, gapMs } of (
    await readDevices(
      tx,
      rows.map(({ id }) => id),
    )
  ).values()) {
    if (!isFor(facts)) continue;
    selected.push(id);
    // Those of no site are of no share.
    if (spec.kind === "share-of-site" && facts.site === null) continue;
    const own = spec.kind === "condition" ? judgedOf(spec, metrics, gapMs) : [];
    for (const { rule } of own) for (const { metric } of rule.conditions) watched.add(metric);
    const series =
      spec.kind === "condition" ? own.length : spec.kind === "oddness" ? oddnessOf(spec, metrics).length : 1;
    if (series === 0) continue;
    ids.push(id);
    found.devices++;
    found.series += series;
    if (spec.kind === "condition" && spec.forMs > 0 && gapMs !== null && gapMs > spec.forMs) found.slow++;
  }
  const metrics = [...watched];
  return {
    ...{ ...found, sample: await sampleOf(tx, ids, metrics), units: await differingUnits(tx, ids, metrics) },
    otherKinds: spec.kind === "condition" ? await otherKinds(tx, spec, metrics, selected) : [],
  };
}

async function otherKinds(
  tx: Pool | PoolClient,
  { conditions }: ConditionRule,
  metrics: readonly number[],
  devices: readonly number[],
): Promise<KindOfMetric[]> {
  const { rows } = await tx.query<{ metric: string; kind: "number" | "boolean" }>(
    `SELECT name AS metric, kind FROM metric WHERE id = ANY ($1::integer[]) ORDER BY name`,
    [metrics],
  );
  const asks = conditions.map((one) => ({ one, isOf: matcherOf(one.metric) }));
  const known = new Set(rows.map(({ metric }) => metric));
  const { rows: texts } = await tx.query<KindOfMetric>(
    `SELECT name AS metric, 'text' AS kind FROM unnest($1::text[]) name
     WHERE EXISTS (SELECT FROM unnest($2::integer[]) d (id) JOIN text_run t ON t.device_id = d.id AND t.field = name) ORDER BY name`,
    [[...new Set(conditions.map(({ metric }) => metric))].filter((name) => !known.has(name)), devices],
  );
  return [
    ...texts,
    ...rows.filter(({ metric, kind }) => asks.some(({ one, isOf }) => isOf(metric) && asksOtherKind(one, kind))),
  ].slice(0, 20);
}

async function sampleOf(
  tx: Pool | PoolClient,
  devices: readonly number[],
  metrics: readonly number[],
): Promise<Matches["sample"]> {
  const { rows } = await tx.query<{ device: string; metric: string | null }>(
    `SELECT d.name AS device, (SELECT m.name FROM device_metric dm JOIN metric m ON m.id = dm.metric_id
       WHERE dm.device_id = d.id AND m.id = ANY ($2::integer[]) ORDER BY m.name LIMIT 1) AS metric
     FROM device d WHERE d.id = ANY ($1::integer[]) ORDER BY date_trunc('hour', d.last_event_time) DESC NULLS LAST, d.id LIMIT 1`,
    [devices, metrics],
  );
  return rows[0] ?? null;
}

async function differingUnits(
  tx: Pool | PoolClient,
  devices: readonly number[],
  metrics: readonly number[],
): Promise<Matches["units"]> {
  if (metrics.length === 0) return [];
  const { rows } = await tx.query<{ metric: string; units: string[] }>(
    `SELECT m.name AS metric, array_agg(DISTINCT coalesce(u.unit, m.unit, '')) AS units
     FROM device_metric dm JOIN metric m ON m.id = dm.metric_id LEFT JOIN device_unit u ON u.device_id = dm.device_id AND u.metric_id = m.id
     WHERE dm.device_id = ANY ($1::integer[]) AND m.id = ANY ($2::integer[])
     GROUP BY 1 HAVING count(DISTINCT coalesce(u.unit, m.unit, '')) > 1 ORDER BY 1 LIMIT 20`,
    [devices, metrics],
  );
  return rows;
}
