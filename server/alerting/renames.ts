import type { Pool, PoolClient } from "pg";
import { matcherOf } from "@/server/domain/series-rules";
import { beginRulesEpoch } from "./epoch";
import { changeRule, readRules, type RuleRow } from "./rules";

/** A rule that goes by a metric's name. */
interface RuleOfMetric extends RuleRow {
  /** True: it names the metric. False: it has a pattern that matches it. */
  readonly isNamed: boolean;
}

/** What rules name, and may come to be called otherwise. */
type Named = "metric" | "sites" | "types";

/** The rules that name a metric, or match it by a pattern, by their names. */
export async function rulesOfMetric(db: Pool | PoolClient, metric: string): Promise<RuleOfMetric[]> {
  const rules = await readRules(db, "all");
  return rules.flatMap((rule) => {
    const patterns = metricsIn(rule.spec);
    const isNamed = patterns.includes(metric);
    return isNamed || patterns.some((pattern) => matcherOf(pattern)(metric)) ? [{ ...rule, isNamed }] : [];
  });
}

/** The names of the rules that select devices by this site or type. */
export async function rulesNaming(
  db: Pool | PoolClient,
  part: Exclude<Named, "metric">,
  name: string,
): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT name FROM alert_rule WHERE spec->'of'->'${part}' ? $1 ORDER BY name`,
    [name],
  );
  return rows.map((rule) => rule.name);
}

/** True if a rule with a pattern for metrics watches this one. */
export function isWatchedBy({ spec }: Pick<RuleRow, "spec">, metric: string): boolean {
  return metricsIn(spec).some((pattern) => matcherOf(pattern)(metric));
}

function metricsIn(spec: RuleRow["spec"]): readonly string[] {
  if (spec.kind === "condition") return spec.conditions.map(({ metric }) => metric);
  return spec.kind === "oddness" ? [spec.metric] : [];
}

/** Writes another name wherever rules, and versions of them, have this one. What they watch stays, so that alerts go on as they stand. */
export async function renameInRules(tx: PoolClient, named: Named, from: string, to: string): Promise<void> {
  await beginRulesEpoch(tx);
  const [holds, renamed] = named === "metric" ? [NAMES_METRIC, WITH_METRIC] : [namesIn(named), withName(named)];
  for (const table of ["alert_rule", "alert_rule_version"])
    await tx.query(`UPDATE ${table} SET spec = ${renamed} WHERE ${holds}`, [from, to]);
}

const NAMES_METRIC = `(spec->'conditions' @> jsonb_build_array(jsonb_build_object('metric', $1::text)) OR spec->>'metric' = $1)`;
const WITH_METRIC = `CASE WHEN spec ? 'conditions' THEN jsonb_set(spec, '{conditions}', (
    SELECT jsonb_agg(CASE WHEN c->>'metric' = $1 THEN jsonb_set(c, '{metric}', to_jsonb($2::text)) ELSE c END ORDER BY i)
    FROM jsonb_array_elements(spec->'conditions') WITH ORDINALITY AS e (c, i)))
  ELSE jsonb_set(spec, '{metric}', to_jsonb($2::text)) END`;
const namesIn = (part: string) => `spec->'of'->'${part}' ? $1`;
const withName = (part: string) => `jsonb_set(spec, '{of,${part}}', (
    SELECT jsonb_agg(CASE WHEN name = $1 THEN $2::text ELSE name END ORDER BY i)
    FROM jsonb_array_elements_text(spec->'of'->'${part}') WITH ORDINALITY AS e (name, i)))`;

/** Has the rules that name a metric go by another one from now on: each as a new version. @returns the names of those rules. */
export async function pointRules(tx: PoolClient, from: string, to: string, by: string): Promise<string[]> {
  const rules = (await rulesOfMetric(tx, from)).filter(({ isNamed }) => isNamed);
  for (const rule of rules) {
    const { spec } = rule;
    const at = (metric: string) => (metric === from ? to : metric);
    if (spec.kind === "condition") {
      const conditions = spec.conditions.map((one) => ({ ...one, metric: at(one.metric) }));
      await changeRule(tx, rule, { ...rule, spec: { ...spec, conditions } }, by);
    } else if (spec.kind === "oddness")
      await changeRule(tx, rule, { ...rule, spec: { ...spec, metric: at(spec.metric) } }, by);
  }
  return rules.map(({ name }) => name);
}
