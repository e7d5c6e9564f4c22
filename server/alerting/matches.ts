import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { judgedOf, oddnessOf, selectorOf } from "@/server/domain/alerts/judged";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { readDevices } from "./load";

/** Counts what of these sites a rule watches, just as it is judged. */
export async function countMatches(
  tx: Pool | PoolClient,
  spec: RuleSpec,
  sites: Sites,
): Promise<{ devices: number; series: number }> {
  const { rows } = await tx.query<{ id: number }>(
    `SELECT id FROM device WHERE $1::integer[] IS NULL OR site_id = ANY ($1)`,
    [sites === "all" ? null : sites],
  );
  const found = { devices: 0, series: 0 };
  if (spec.kind === "pipeline" || spec.kind === "quality") return found;
  const isFor = selectorOf(spec.of);
  for (const { facts, metrics, gapMs } of (
    await readDevices(
      tx,
      rows.map(({ id }) => id),
    )
  ).values()) {
    if (!isFor(facts)) continue;
    // Those of no site are of no share.
    if (spec.kind === "share-of-site" && facts.site === null) continue;
    const series =
      spec.kind === "condition"
        ? judgedOf(spec, metrics, gapMs).length
        : spec.kind === "oddness"
          ? oddnessOf(spec, metrics).length
          : 1;
    if (series === 0) continue;
    found.devices++;
    found.series += series;
  }
  return found;
}
