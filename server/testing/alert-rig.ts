import type { Pool } from "pg";
import { beginRulesEpoch } from "@/server/alerting/epoch";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { withTransaction } from "@/server/postgres/transaction";

/** Adds a rule as it is kept, and lets it be in force. @returns its id */
export async function addRule(pool: Pool, name: string, spec: unknown): Promise<number> {
  return withTransaction(pool, async (tx) => {
    await beginRulesEpoch(tx);
    const { rows } = await tx.query<{ id: number }>(
      `INSERT INTO alert_rule (name, spec, created_by, updated_by, seeded) VALUES ($1, $2, 'test', 'test', 1) RETURNING id`,
      [name, ruleSpec.parse(spec)],
    );
    return rows[0]!.id;
  });
}
