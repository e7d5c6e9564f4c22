import type { Pool, PoolClient } from "pg";
import { GRACE_MS, type Retention } from "@/server/domain/retention";
import { inOrder, longestOf, type SeriesRule } from "@/server/domain/series-rules";
import type { EpochMs } from "@/server/domain/terms";
import { daysOf, type KeptRule, readRules } from "./retention";

/** A rule for some series, as it is stored. */
export interface StoredSeriesRule extends SeriesRule {
  readonly id: number;
  readonly setAt: EpochMs;
}

/** Reads the rules for some series, in the order in which the first that matches holds. */
export async function readSeriesRules(client: Pool | PoolClient): Promise<StoredSeriesRule[]> {
  const { rows } = await client.query<StoredSeriesRule>(
    `SELECT id, selects, pattern, raw, minutes, hours, (extract(epoch FROM set_at) * 1000)::float8 AS "setAt" FROM series_rule`,
  );
  return inOrder(rows);
}

/** Reads when a rule for some series was last set or removed; null: none ever was. */
export async function readSeriesChange(client: Pool | PoolClient): Promise<EpochMs | null> {
  const { rows } = await client.query<{ at: EpochMs }>(
    "SELECT (extract(epoch FROM changed_at) * 1000)::float8 AS at FROM series_rule_change",
  );
  return rows[0]?.at ?? null;
}

/** Sets the rule of a selector and pattern. @returns what it was; null: there was none. */
export async function setSeriesRule(
  tx: PoolClient,
  { selects, pattern, raw, minutes, hours }: SeriesRule,
): Promise<Retention | null> {
  await noteChange(tx);
  const { rows } = await tx.query<Retention>(
    "SELECT raw, minutes, hours FROM series_rule WHERE selects = $1 AND pattern = $2 FOR UPDATE",
    [selects, pattern],
  );
  await tx.query(
    `INSERT INTO series_rule (selects, pattern, raw, minutes, hours) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (selects, pattern) DO UPDATE SET raw = $3, minutes = $4, hours = $5, set_at = now()`,
    [selects, pattern, raw, minutes, hours],
  );
  return rows[0] ?? null;
}

/** Removes a rule: what it held for goes by the next that matches. @returns the rule; null: there is none. */
export async function removeSeriesRule(tx: PoolClient, id: number): Promise<SeriesRule | null> {
  const { rows } = await tx.query<SeriesRule>(
    "DELETE FROM series_rule WHERE id = $1 RETURNING selects, pattern, raw, minutes, hours",
    [id],
  );
  if (rows.length > 0) await noteChange(tx);
  return rows[0] ?? null;
}

/** True if there is a rule of this very name. */
export async function hasSeriesRule(
  db: Pool | PoolClient,
  selects: SeriesRule["selects"],
  name: string,
): Promise<boolean> {
  const { rowCount } = await db.query(`SELECT FROM series_rule WHERE selects = $1 AND pattern = $2`, [selects, name]);
  return rowCount !== 0;
}

/** Has the rule of this very name be of another one, unless that has a rule. Which series it holds for stays. */
export async function renameSeriesRule(
  tx: PoolClient,
  selects: SeriesRule["selects"],
  from: string,
  to: string,
): Promise<void> {
  await tx.query(
    `UPDATE series_rule SET pattern = $3 WHERE selects = $1 AND pattern = $2
       AND NOT EXISTS (SELECT FROM series_rule WHERE selects = $1 AND pattern = $3)`,
    [selects, from, to],
  );
}

async function noteChange(tx: PoolClient): Promise<void> {
  await tx.query(
    "INSERT INTO series_rule_change (changed_at) VALUES (now()) ON CONFLICT (one) DO UPDATE SET changed_at = excluded.changed_at",
  );
}

/** How long everything is kept: the general times, and those of some series. */
export interface KeptTimes {
  readonly general: Retention;
  /** The general times, with when each last changed. */
  readonly rules: readonly KeptRule[];
  readonly series: readonly StoredSeriesRule[];
  /** The longest of all. */
  readonly longest: Retention;
  /** A rule was changed so lately that nothing is removed for now. */
  readonly isFresh: boolean;
  /** Another once anything of it was changed. */
  readonly version: string;
}

/** Reads all of them. @param startDays as {@link readRules} takes it. */
export async function readKeptTimes(client: Pool | PoolClient, startDays: number, now: EpochMs): Promise<KeptTimes> {
  const rules = await readRules(client, startDays);
  const series = await readSeriesRules(client);
  const changes = [await readSeriesChange(client), ...rules.map(({ changedAt }) => changedAt)];
  const general = daysOf(rules);
  return {
    ...{ general, rules, series, longest: longestOf(general, series) },
    isFresh: changes.some((at) => at !== null && now - at < GRACE_MS),
    version: changes.join(),
  };
}
