import type { Pool, PoolClient } from "pg";
import { TOPICS } from "@/server/domain/terms";
import type { EventLog } from "@/server/ports/event-log";
import { withTransaction } from "@/server/postgres/transaction";

/** Events that are published at once. */
const MOST = 1000;

interface EventRow {
  readonly id: number;
  readonly kind: string;
  readonly at: Date;
  readonly device: string | null;
  readonly data: object;
}

/**
 * Publishes judged events to the topic iot.alerts as CloudEvents, those of a device in order; at least once, with an id that stays.
 * @returns how many it were. @throws LogUnavailableError when the log is away: they stay for the next time.
 */
export async function publishEvents(pool: Pool, eventLog: Pick<EventLog, "append">): Promise<number> {
  return withTransaction(pool, async (tx) => {
    const rows = await takeEvents(tx);
    if (rows.length === 0) return 0;
    await eventLog.append(
      TOPICS.alerts,
      rows.map((row) => ({
        key: row.device ?? "fieldwatch",
        value: new TextEncoder().encode(JSON.stringify(cloudEvent(row))),
        headers: { "content-type": "application/cloudevents+json" },
      })),
    );
    await tx.query(`DELETE FROM alert_outbox WHERE event_id = ANY ($1::bigint[])`, [rows.map(({ id }) => id)]);
    return rows.length;
  });
}

async function takeEvents(tx: PoolClient): Promise<EventRow[]> {
  const { rows } = await tx.query<EventRow>(
    `SELECT e.id, e.kind, e.at, coalesce(d.name, a.device_name) AS device, json_build_object(
       'alert', a.id, 'severity', e.severity, 'rule', coalesce(r.name, v.name), 'ruleVersion', a.rule_version, 'device', coalesce(d.name, a.device_name),
       'site', coalesce(s.name, a.site_name), 'subject', a.subject, 'metric', coalesce(m.name, a.metric_name), 'value', e.value, 'unit', CASE WHEN v.spec->>'kind' IS DISTINCT FROM 'oddness' THEN m.unit END,
       'startedAt', to_json(a.started_at), 'firedAt', to_json(a.fired_at), 'endedAt', to_json(a.ended_at), 'decidedAt', to_json(e.decided_at),
       'detail', e.detail) AS data
     FROM (SELECT event_id FROM alert_outbox ORDER BY event_id LIMIT ${MOST} FOR UPDATE) o
     JOIN alert_event e ON e.id = o.event_id JOIN alert a ON a.id = e.alert_id
     LEFT JOIN alert_rule r ON r.id = a.rule_id LEFT JOIN alert_rule_version v ON v.rule_id = a.rule_id AND v.version = a.rule_version
     LEFT JOIN device d ON d.id = a.device_id LEFT JOIN site s ON s.id = a.site_id LEFT JOIN metric m ON m.id = coalesce(a.metric_id, (e.detail->>'metric')::integer)
     ORDER BY e.id`,
  );
  return rows;
}

function cloudEvent({ id, kind, at, device, data }: EventRow): object {
  return {
    specversion: "1.0",
    id: String(id),
    source: "/fieldwatch/alerts",
    type: `fieldwatch.alert.${kind}`,
    ...(device !== null && { subject: device }),
    time: at.toISOString(),
    datacontenttype: "application/json",
    data,
  };
}
