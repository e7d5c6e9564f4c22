import type { Pool } from "pg";
import { READY_RULES } from "@/server/domain/alerts/ready-rules";
import { withTransaction } from "@/server/postgres/transaction";
import { addRule } from "./rules";

/** Adds the rules to begin with that were never there; one that somebody removed doesn't come back. Twice is the same as once. */
export async function addReadyRules(pool: Pool): Promise<void> {
  await withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ name: string }>(
      `SELECT name FROM alert_rule_version UNION SELECT name FROM alert_rule`,
    );
    const known = new Set(rows.map(({ name }) => name));
    for (const { name, spec, note } of READY_RULES) {
      if (known.has(name)) continue;
      await addRule(tx, { name, enabled: true, spec, note, runbook: null }, "system");
    }
  });
}
