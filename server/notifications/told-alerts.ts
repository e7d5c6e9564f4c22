import type { Pool, PoolClient } from "pg";
import type { Matchable } from "@/server/domain/notifications/matcher";
import type { ToldAlert } from "@/server/domain/notifications/message";
import type { EpochMs } from "@/server/domain/terms";

/** An alert as routes, silences and messages see it. */
export type AlertSeen = ToldAlert &
  Matchable & {
    /** The alert of its site that it is beneath. */
    readonly parent: number | null;
    /** Found by judging late readings. */
    readonly late: boolean;
    /** What its rule says of such ones: they are told, not only recorded. */
    readonly tellsLate: boolean;
    /** When its acknowledgement ends by itself; null: there is none, or it doesn't. */
    readonly acknowledgedUntil: EpochMs | null;
  };

const MS = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** Alerts by id, as of now. */
export async function seeAlerts(
  tx: Pool | PoolClient,
  ids: readonly number[],
  now: EpochMs,
): Promise<ReadonlyMap<number, AlertSeen>> {
  const { rows } = await tx.query<AlertSeen>(
    `SELECT a.id, coalesce(r.name, v.name, 'a removed rule') AS rule, a.severity, a.state,
       coalesce(d.name, a.device_name) AS device, coalesce(s.name, a.site_name) AS site, a.subject,
       CASE WHEN a.condition IS NULL THEN coalesce(m.name, a.metric_name) END AS metric,
       coalesce(m.name, a.metric_name, v.spec->'conditions'->a.condition->>'metric') AS "valueMetric", v.spec->'conditions'->a.condition AS condition,
       CASE WHEN v.spec->>'kind' IS DISTINCT FROM 'oddness' THEN coalesce(u.unit, m.unit) END AS unit,
       CASE WHEN v.spec->>'kind' IS DISTINCT FROM 'oddness' AND v.spec->'conditions'->coalesce(a.condition, 0)->>'what' IS DISTINCT FROM 'changePerMinute' THEN m.decimals END AS decimals,
       v.spec->>'measure' AS measure, a.last_value AS value, a.worst_value AS worst, d.type, r.runbook, a.late, a.flapping,
       coalesce(coalesce(v.spec, r.spec)->>'late' = 'tell', false) AS "tellsLate",
       ${MS("a.started_at")} AS "startedAt", ${MS("a.fired_at")} AS "firedAt", ${MS("a.ended_at")} AS "endedAt",
       ${MS("a.decided_at")} AS "decidedAt", ${MS("a.no_data_since")} AS "noDataSince", a.closed_reason AS "closedReason",
       CASE WHEN a.acknowledged_at IS NOT NULL AND (a.acknowledged_until IS NULL OR a.acknowledged_until > to_timestamp($2 / 1000.0))
         THEN coalesce(a.acknowledged_by, 'somebody') END AS "acknowledgedBy",
       CASE WHEN a.acknowledged_at IS NOT NULL AND a.acknowledged_until > to_timestamp($2 / 1000.0) THEN ${MS("a.acknowledged_until")} END AS "acknowledgedUntil",
       a.parent_id AS parent,
       CASE WHEN a.device_id IS NULL THEN (
         SELECT json_build_object('silent', (SELECT count(*) FROM alert c WHERE c.parent_id = a.id), 'of', e.detail->'of')
         FROM alert_event e WHERE e.alert_id = a.id AND e.kind = 'fired' AND e.detail ? 'of' ORDER BY e.id DESC LIMIT 1) END AS share,
       coalesce((SELECT json_object_agg(l.key, l.value) FROM device_label l WHERE l.device_id = a.device_id), '{}') AS labels
     FROM alert a
     LEFT JOIN alert_rule r ON r.id = a.rule_id
     LEFT JOIN alert_rule_version v ON v.rule_id = a.rule_id AND v.version = a.rule_version
     LEFT JOIN device d ON d.id = a.device_id
     LEFT JOIN site s ON s.id = a.site_id
     LEFT JOIN metric m ON m.id = coalesce(a.metric_id, a.value_metric_id)
     LEFT JOIN device_unit u ON u.device_id = a.device_id AND u.metric_id = m.id
     WHERE a.id = ANY ($1::bigint[])`,
    [ids, now],
  );
  return new Map(rows.map((row) => [row.id, row]));
}
