import type { Pool, PoolClient } from "pg";
import { selectorOf } from "@/server/domain/alerts/judged";
import type { DeviceFacts } from "@/server/domain/alerts/judged";
import { type RuleSpec, ruleSpec } from "@/server/domain/alerts/rule";

/** A rule that is in force. */
export interface ActiveRule {
  readonly id: number;
  readonly version: number;
  readonly spec: RuleSpec;
  readonly selects: (device: DeviceFacts) => boolean;
}

/** Reads the rules that are in force. */
export async function readActiveRules(db: Pool | PoolClient): Promise<ActiveRule[]> {
  const { rows } = await db.query<{ id: number; version: number; spec: unknown }>(
    `SELECT id, version, spec FROM alert_rule WHERE enabled ORDER BY id`,
  );
  return rows.map(({ id, version, spec: written }) => {
    const spec = ruleSpec.parse(written);
    return { id, version, spec, selects: selectorOf("of" in spec ? spec.of : {}) };
  });
}
