import type { PoolClient } from "pg";

const KEY = `hashtextextended('fieldwatch.alert-rules', 0)`;

/** Holds the alert rules until the transaction ends; any number may. Goes with BEGIN. */
export const HOLD_RULES = `SELECT pg_advisory_xact_lock_shared(${KEY})`;

/** SQL of the rules' epoch, to be read along with something else. */
export const RULES_EPOCH = `(SELECT epoch FROM alert_epoch)::float8`;

/** Begins another epoch of the rules: waits for the batches that are being judged by those of before. */
export async function beginRulesEpoch(tx: PoolClient): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${KEY})`);
  await tx.query("UPDATE alert_epoch SET epoch = epoch + 1");
}
