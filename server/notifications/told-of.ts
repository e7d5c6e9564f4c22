import type { Pool } from "pg";
import { type Telling, type ToldWords, toldWords } from "@/server/domain/notifications/told-words";
import type { Verdict } from "@/server/domain/notifications/verdict";
import type { EpochMs } from "@/server/domain/terms";
import { messagesOf } from "./messages";

const MS = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** Says what became of telling people that an alert fired: who was told, or why nobody. @param time writes a moment */
export async function toldOf(db: Pool, alertId: string, time: (at: EpochMs) => string): Promise<ToldWords> {
  const { rows } = await db.query<Omit<Telling, "messages"> & { verdict: Verdict | null }>(
    `SELECT v.verdict, ${MS("v.at")} AS "decidedAt", r.name AS route, v.by_name AS by, v.by_id::text AS "byId",
       CASE WHEN v.verdict = 'silenced' THEN ${MS("s.ends_at")} END AS "byUntil",
       (SELECT ${MS("g.next_at")} FROM notification_group g WHERE g.id = v.group_id) AS "groupAt", a.late
     FROM alert a LEFT JOIN LATERAL (SELECT id FROM alert_event e WHERE e.alert_id = a.id AND e.kind = 'fired' ORDER BY id LIMIT 1) e ON true
     LEFT JOIN alert_verdict v ON v.event_id = e.id LEFT JOIN route r ON r.id = v.route_id LEFT JOIN silence s ON s.id = v.by_id
     WHERE a.id = $1`,
    [alertId],
  );
  const messages = await messagesOf(db, alertId);
  return toldWords({ ...rows[0]!, messages: messages.toReversed() }, time);
}
