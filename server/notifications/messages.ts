import type { Pool } from "pg";
import type { Sites } from "@/server/domain/access";
import type { Occasion } from "@/server/domain/notifications/message";
import type { NotificationState, Verdict } from "@/server/domain/notifications/verdict";
import type { EpochMs } from "@/server/domain/terms";

/** What was decided about an event of an alert. */
export interface VerdictRow {
  readonly event: number;
  readonly kind: string;
  readonly at: EpochMs;
  readonly verdict: Verdict | null;
  readonly route: string | null;
  readonly by: string | null;
  readonly decidedAt: EpochMs | null;
}

export interface MessageRow {
  readonly id: string;
  readonly channel: string;
  readonly occasion: Occasion;
  readonly title: string;
  readonly state: NotificationState;
  readonly alerts: number;
  readonly madeAt: EpochMs;
  readonly sentAt: EpochMs | null;
  readonly nextTryAt: EpochMs | null;
  readonly attempts: readonly {
    readonly at: EpochMs;
    readonly outcome: "sent" | "retry" | "failed" | null;
    readonly status: number | null;
    readonly answer: string | null;
    readonly tookMs: number | null;
  }[];
}

const MS = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** True if there is this alert at these sites. */
export async function isAlertAt(db: Pool, id: string, sites: Sites): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM alert WHERE id = $1 AND ($2::integer[] IS NULL OR site_id = ANY ($2::integer[]))`,
    [id, sites === "all" ? null : sites],
  );
  return rowCount === 1;
}

/** What was decided about each event of an alert, in order. */
export async function verdictsOf(db: Pool, alertId: string): Promise<VerdictRow[]> {
  const { rows } = await db.query<VerdictRow>(
    `SELECT e.id AS event, e.kind, ${MS("e.at")} AS at, v.verdict, r.name AS route, v.by_name AS by, ${MS("v.at")} AS "decidedAt"
     FROM alert_event e LEFT JOIN alert_verdict v ON v.event_id = e.id LEFT JOIN route r ON r.id = v.route_id
     WHERE e.alert_id = $1 ORDER BY e.id LIMIT 1000`,
    [alertId],
  );
  return rows;
}

/** Messages about an alert with what became of them, newest first. */
export async function messagesOf(db: Pool, alertId: string): Promise<MessageRow[]> {
  const { rows } = await db.query<MessageRow>(
    `SELECT n.id, c.name AS channel, n.occasion, n.title, n.status AS state, cardinality(n.alert_ids) AS alerts, ${MS("n.made_at")} AS "madeAt",
       ${MS("n.sent_at")} AS "sentAt", CASE WHEN n.status = 'waiting' THEN ${MS("GREATEST(n.next_at, c.rests_until)")} END AS "nextTryAt",
       coalesce((SELECT json_agg(json_build_object('at', ${MS("a.at")}, 'outcome', a.outcome, 'status', a.status, 'answer', a.answer,
           'tookMs', a.took_ms) ORDER BY a.number DESC)
         FROM (SELECT * FROM notification_attempt WHERE notification_id = n.id ORDER BY number DESC LIMIT 20) a), '[]') AS attempts
     FROM notification n JOIN channel c ON c.id = n.channel_id
     WHERE n.alert_ids @> ARRAY[$1]::bigint[] ORDER BY n.place DESC LIMIT 100`,
    [alertId],
  );
  return rows;
}

/** What became of the last message of each channel about each of these alerts, by alert. */
export async function toldOf(db: Pool, alerts: readonly string[]): Promise<ReadonlyMap<string, readonly Told[]>> {
  const { rows } = await db.query<Told & { alert: string }>(
    `SELECT DISTINCT ON (alert, c.name) a.id::text AS alert, c.name AS channel,
       CASE n.status WHEN 'sent' THEN 'told' WHEN 'waiting' THEN 'waiting' WHEN 'sending' THEN 'waiting' ELSE 'failed' END AS state
     FROM unnest($1::bigint[]) a (id) JOIN notification n ON n.alert_ids @> ARRAY[a.id] AND n.status <> 'replaced' JOIN channel c ON c.id = n.channel_id
     ORDER BY alert, c.name, n.place DESC`,
    [alerts],
  );
  const told = new Map<string, Told[]>();
  for (const { alert, ...one } of rows) told.set(alert, [...(told.get(alert) ?? []), one]);
  return told;
}

interface Told {
  readonly channel: string;
  readonly state: "told" | "waiting" | "failed";
}
