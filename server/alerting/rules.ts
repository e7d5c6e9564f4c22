import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import type { EpochMs } from "@/server/domain/terms";
import { beginRulesEpoch } from "./epoch";
import { withSpec } from "./read-spec";

/** A rule as it is kept. */
export interface RuleRow {
  readonly id: number;
  readonly name: string;
  readonly enabled: boolean;
  readonly version: number;
  readonly spec: RuleSpec;
  readonly note: string | null;
  readonly runbook: string | null;
  readonly inForce: boolean;
  readonly firing: number;
  readonly createdAt: EpochMs;
  readonly createdBy: string;
  readonly updatedAt: EpochMs;
  readonly updatedBy: string;
}

/** What a person says of a rule. */
export type RuleSettings = Pick<RuleRow, "name" | "enabled" | "spec" | "note" | "runbook">;

/** SQL of who signed; people go by their number, and are shown by the name they have now. */
const signedBy = (column: string) => `coalesce((SELECT name FROM account WHERE 'user ' || id = ${column}), ${column})`;
const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** Reads rules by their names, those that can be read. @param id only this one. @param sites those whose alerts count */
export async function readRules(db: Pool | PoolClient, sites: Sites, id: number | null = null): Promise<RuleRow[]> {
  const { rows } = await db.query<RuleRow>(
    `SELECT id, name, enabled, version, spec, note, runbook, seeded >= version AS "inForce",
       (SELECT count(*) FROM alert a WHERE a.rule_id = r.id AND a.ended_at IS NULL AND ($2::integer[] IS NULL OR a.site_id = ANY ($2)))::integer AS firing,
       ${ms("created_at")} AS "createdAt", ${signedBy("created_by")} AS "createdBy", ${ms("updated_at")} AS "updatedAt", ${signedBy("updated_by")} AS "updatedBy"
     FROM alert_rule r WHERE $1::integer IS NULL OR id = $1 ORDER BY name`,
    [id, sites === "all" ? null : sites],
  );
  return withSpec(rows);
}

/** A version of a rule as it was. */
interface RuleVersion extends Pick<RuleRow, "version" | "name" | "spec" | "enabled"> {
  readonly at: EpochMs;
  readonly by: string;
}

/** Reads the versions of a rule, newest first. */
export async function readVersions(db: Pool | PoolClient, rule: number): Promise<RuleVersion[]> {
  const { rows } = await db.query<RuleVersion>(
    `SELECT version, name, spec, enabled, ${ms("at")} AS at, ${signedBy("by")} AS by FROM alert_rule_version WHERE rule_id = $1
     ORDER BY version DESC LIMIT 100`,
    [rule],
  );
  return withSpec(rows);
}

/** Adds a rule. @returns its id; null when there is one of this name. */
export async function addRule(
  tx: PoolClient,
  { name, enabled, spec, note, runbook }: RuleSettings,
  by: string,
): Promise<number | null> {
  await beginRulesEpoch(tx);
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO alert_rule (name, enabled, spec, note, runbook, created_by, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $6)
     ON CONFLICT (name) DO NOTHING RETURNING id`,
    [name, enabled, spec, note, runbook, by],
  );
  if (rows[0]) await keepVersion(tx, rows[0].id);
  return rows[0]?.id ?? null;
}

/** Changes a rule. What it decides by makes a new version; its name and notes don't. @returns false when another has the name. */
export async function changeRule(tx: PoolClient, before: RuleRow, after: RuleSettings, by: string): Promise<boolean> {
  await beginRulesEpoch(tx);
  const isNew = before.enabled !== after.enabled || JSON.stringify(before.spec) !== JSON.stringify(after.spec);
  const { rowCount } = await tx.query(
    `UPDATE alert_rule SET name = $2, enabled = $3, spec = $4, note = $5, runbook = $6, version = version + $7, seed_cursor = 0, updated_at = now(), updated_by = $8
     WHERE id = $1 AND NOT EXISTS (SELECT FROM alert_rule WHERE name = $2 AND id <> $1)`,
    [before.id, after.name, after.enabled, after.spec, after.note, after.runbook, Number(isNew), by],
  );
  if (rowCount === 0) return false;
  await keepVersion(tx, before.id);
  return true;
}

/** Removes a rule, one that can't be read, too; its alerts are closed soon after, and stay. @returns its name; null: there is none */
export async function removeRule(tx: PoolClient, id: number): Promise<string | null> {
  await beginRulesEpoch(tx);
  const { rows } = await tx.query<{ name: string }>(`DELETE FROM alert_rule WHERE id = $1 RETURNING name`, [id]);
  return rows[0]?.name ?? null;
}

async function keepVersion(tx: PoolClient, id: number): Promise<void> {
  await tx.query(
    `INSERT INTO alert_rule_version (rule_id, version, name, spec, enabled, by)
     SELECT id, version, name, spec, enabled, updated_by FROM alert_rule WHERE id = $1
     ON CONFLICT (rule_id, version) DO UPDATE SET name = excluded.name`,
    [id],
  );
}
