import type { Pool } from "pg";
import { beginRulesEpoch } from "@/server/alerting/epoch";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { withTransaction } from "@/server/postgres/transaction";

/** Adds a rule as it is kept, and lets it be in force. @returns its id */
export async function addRule(pool: Pool, name: string, spec: unknown, { seeded = 1 } = {}): Promise<number> {
  return withTransaction(pool, async (tx) => {
    await beginRulesEpoch(tx);
    const { rows } = await tx.query<{ id: number }>(
      `INSERT INTO alert_rule (name, spec, created_by, updated_by, seeded) VALUES ($1, $2, 'test', 'test', $3) RETURNING id`,
      [name, ruleSpec.parse(spec), seeded],
    );
    return rows[0]!.id;
  });
}

/** Gives a rule another spec, in force from now on. */
export async function changeRule(pool: Pool, id: number, spec: unknown): Promise<void> {
  await withTransaction(pool, async (tx) => {
    await beginRulesEpoch(tx);
    await tx.query(`UPDATE alert_rule SET version = version + 1, spec = $2 WHERE id = $1`, [id, ruleSpec.parse(spec)]);
  });
}

/** All alerts, by device; times in seconds after `since`. */
export async function alertsOf(pool: Pool, since: number) {
  const seconds = (column: string) => `(extract(epoch FROM ${column}) - ${since / 1000})::float8`;
  const { rows } = await pool.query<Record<string, unknown> & { id: string }>(
    `SELECT id, device_name AS device, severity, state, closed_reason AS reason, late, ${seconds("started_at")} AS started, ${seconds("fired_at")} AS fired,
       ${seconds("ended_at")} AS ended, ${seconds("no_data_since")} AS "noData", first_value AS first, worst_value AS worst, last_value AS last
     FROM alert ORDER BY device_name, started_at, id`,
  );
  return rows;
}

/** All events in the order in which they were written: kind and seconds after `since`. */
export async function eventsOf(pool: Pool, since: number): Promise<string[]> {
  const { rows } = await pool.query<{ kind: string; at: number }>(
    `SELECT kind, (extract(epoch FROM at) - ${since / 1000})::float8 AS at FROM alert_event ORDER BY id`,
  );
  return rows.map(({ kind, at }) => `${kind} ${at}`);
}
