import type { Pool, PoolClient } from "pg";
import type { Signature, Sites } from "@/server/domain/access";
import { type Matcher, matches } from "@/server/domain/notifications/matcher";
import { isOver, lineOf } from "@/server/domain/notifications/message";
import type { EpochMs } from "@/server/domain/terms";
import { type AlertSeen, seeAlerts } from "./told-alerts";

export interface Silence {
  readonly id: number;
  readonly matchers: readonly Matcher[];
  readonly reason: string;
  readonly startsAt: EpochMs;
  readonly endsAt: EpochMs;
  readonly untilResolved: boolean;
  readonly by: string;
}

const DAY = 24 * 3_600_000;
/** The longest that a silence may be. */
export const LONGEST_SILENCE_MS = 30 * DAY;
/** Alerts that a preview looks at. */
const MOST_SEEN = 20_000;

const SELECT = `SELECT s.id, s.matchers, s.reason, (extract(epoch FROM s.starts_at) * 1000)::float8 AS "startsAt",
    (extract(epoch FROM s.ends_at) * 1000)::float8 AS "endsAt", s.until_resolved AS "untilResolved", coalesce(a.name, s.made_by) AS by
  FROM silence s LEFT JOIN account a ON a.id = s.made_by_account`;

/** Silences that haven't ended, and those that did within 30 days; the one that ends last first. */
export async function listSilences(db: Pool | PoolClient, now: EpochMs): Promise<Silence[]> {
  const { rows } = await db.query<Silence>(
    `${SELECT} WHERE s.ends_at > to_timestamp($1 / 1000.0) ORDER BY s.ends_at DESC, s.id DESC LIMIT 500`,
    [now - LONGEST_SILENCE_MS],
  );
  return rows;
}

/** The silence of this number; null if there is none. With `lock`, nobody changes it until the transaction ends. */
export async function findSilence(db: Pool | PoolClient, id: number, lock = false): Promise<Silence | null> {
  const { rows } = await db.query<Silence>(`${SELECT} WHERE s.id = $1 ${lock ? "FOR UPDATE OF s" : ""}`, [id]);
  return rows[0] ?? null;
}

/** Adds a silence. @returns its number. */
export async function insertSilence(
  tx: PoolClient,
  said: Pick<Silence, "matchers" | "reason" | "startsAt" | "endsAt" | "untilResolved">,
  by: Signature,
): Promise<number> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO silence (matchers, reason, starts_at, ends_at, until_resolved, made_by, made_by_account)
     VALUES ($1, $2, to_timestamp($3 / 1000.0), to_timestamp($4 / 1000.0), $5, $6, $7) RETURNING id`,
    [JSON.stringify(said.matchers), said.reason, said.startsAt, said.endsAt, said.untilResolved, by.text, by.accountId],
  );
  return rows[0]!.id;
}

/** Ends a silence now; one that hasn't begun never does. */
export async function endSilence(tx: PoolClient, id: number, now: EpochMs): Promise<void> {
  await tx.query(
    `UPDATE silence SET starts_at = LEAST(starts_at, to_timestamp($2 / 1000.0)), ends_at = to_timestamp($2 / 1000.0), ended_early = true
     WHERE id = $1 AND ends_at > to_timestamp($2 / 1000.0)`,
    [id, now],
  );
}

/** Has a silence end at another time. */
export async function moveSilenceEnd(tx: PoolClient, id: number, endsAt: EpochMs): Promise<void> {
  await tx.query(`UPDATE silence SET ends_at = to_timestamp($2 / 1000.0) WHERE id = $1`, [id, endsAt]);
}

/** Ends silences that were to last until what they cover is over, once it is. */
export async function endSilencesOver(tx: PoolClient, now: EpochMs): Promise<void> {
  const { rows } = await tx.query<Silence>(
    `${SELECT} WHERE s.until_resolved AND s.starts_at <= to_timestamp($1 / 1000.0) AND s.ends_at > to_timestamp($1 / 1000.0) FOR UPDATE OF s SKIP LOCKED`,
    [now],
  );
  if (rows.length === 0) return;
  const open = await openAlerts(tx, "all", now);
  for (const { id, matchers } of rows)
    if (!open.some((alert) => matches(matchers, alert))) await endSilence(tx, id, now);
}

/** The alerts of these sites that are open. */
export async function openAlerts(tx: Pool | PoolClient, sites: Sites, now: EpochMs): Promise<AlertSeen[]> {
  const { rows } = await tx.query<{ id: number }>(
    `SELECT id FROM alert WHERE ended_at IS NULL AND ($1::integer[] IS NULL OR site_id = ANY ($1::integer[])) ORDER BY id DESC LIMIT ${MOST_SEEN}`,
    [sites === "all" ? null : sites],
  );
  const seen = await seeAlerts(
    tx,
    rows.map(({ id }) => id),
    now,
  );
  return [...seen.values()].filter((alert) => !isOver(alert));
}

/** What a silence with these matchers hides now, and would have hidden in the last week. */
export async function previewSilence(tx: Pool | PoolClient, matchers: readonly Matcher[], sites: Sites, now: EpochMs) {
  const open = (await openAlerts(tx, sites, now)).filter((alert) => matches(matchers, alert));
  const { rows: lately } = await tx.query<{ id: number }>(
    `SELECT id FROM alert WHERE decided_at > to_timestamp($1 / 1000.0) AND ($2::integer[] IS NULL OR site_id = ANY ($2::integer[]))
     ORDER BY id DESC LIMIT ${MOST_SEEN}`,
    [now - 7 * DAY, sites === "all" ? null : sites],
  );
  const seen = await seeAlerts(
    tx,
    lately.map(({ id }) => id),
    now,
  );
  const covered = [...seen.values()].filter((alert) => matches(matchers, alert)).map(({ id }) => id);
  const { rows } = await tx.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM notification WHERE made_at > to_timestamp($1 / 1000.0) AND status <> 'replaced'
       AND alert_ids <> '{}' AND alert_ids <@ $2::bigint[]`,
    [now - 7 * DAY, covered],
  );
  return {
    open: open.sort((a, b) => b.firedAt - a.firedAt).map((alert) => ({ id: alert.id, words: lineOf(alert) })),
    week: { alerts: covered.length, messages: rows[0]!.n, isMore: lately.length === MOST_SEEN },
  };
}
