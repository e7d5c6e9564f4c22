import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { RuleSpec, Severity } from "@/server/domain/alerts/rule";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";
import { readSpec } from "./read-spec";

/** An alert as it is kept. */
export interface StoredAlert {
  readonly id: string;
  readonly ruleId: number;
  readonly ruleName: string;
  readonly ruleVersion: number;
  readonly spec: RuleSpec | null;
  readonly runbook: string | null;
  readonly device: string | null;
  readonly site: string | null;
  /** The engine or the source that it is about. */
  readonly subject: string | null;
  /** The metric that its values are of. */
  readonly metric: string | null;
  /** Of a rule of several conditions: the place of the one that its values are of; null: there is one, or it isn't known. */
  readonly condition: number | null;
  readonly unit: string | null;
  /** Digits its values are measured with; null: as sent. */
  readonly decimals: number | null;
  /** The place of the metric's color in the palette; null: by its name. */
  readonly color: number | null;
  readonly severity: Severity;
  readonly state: "firing" | "recovering" | "resolved" | "closed";
  readonly startedAt: EpochMs;
  readonly firedAt: EpochMs;
  readonly endedAt: EpochMs | null;
  readonly decidedAt: EpochMs;
  readonly firstValue: number | null;
  readonly worstValue: number | null;
  readonly worstAt: EpochMs | null;
  readonly lastValue: number | null;
  readonly closedReason: string | null;
  readonly late: boolean;
  readonly parent: string | null;
  /** Open alerts beneath it. */
  readonly children: number;
  readonly flaps: number;
  readonly flapping: boolean;
  readonly noDataSince: EpochMs | null;
  readonly acknowledgedAt: EpochMs | null;
  readonly acknowledgedBy: string | null;
  readonly acknowledgedUntil: EpochMs | null;
  readonly acknowledgedNote: string | null;
}

/** Something that happened to an alert. */
export interface StoredEvent {
  readonly id: string;
  readonly kind: string;
  readonly severity: Severity;
  readonly at: EpochMs;
  readonly decidedAt: EpochMs;
  readonly value: number | null;
  /** The metric that its value is of, and its unit at the device; null: those of the alert. */
  readonly metric: string | null;
  readonly unit: string | null;
  readonly reason: string | null;
  readonly by: string | null;
  readonly note: string | null;
}

export interface AlertFilter {
  readonly sites: Sites;
  readonly id?: string | undefined;
  readonly state?: "open" | "ended" | "all" | undefined;
  readonly severity?: Severity | undefined;
  readonly acknowledged?: "yes" | "no" | undefined;
  readonly rule?: number | undefined;
  readonly device?: string | undefined;
  /** Of one of these devices. */
  readonly devices?: readonly string[] | undefined;
  readonly site?: string | undefined;
  /** Beneath this one; none: beneath no other. */
  readonly parent?: string | undefined;
  /** That were, in part at least, between these event times. */
  readonly from?: EpochMs | undefined;
  readonly to?: EpochMs | undefined;
  /** latest: decided last first, unless given; worst: critical before warning, then fired last first. */
  readonly order?: "latest" | "worst" | undefined;
  /** Only those after this one in the list. */
  readonly after?: string | undefined;
  readonly limit: number;
}

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
const signedBy = (column: string) => `coalesce((SELECT name FROM account WHERE 'user ' || id = ${column}), ${column})`;
/** An acknowledgement that isn't over. */
const ACKNOWLEDGED = `(a.acknowledged_at IS NOT NULL AND coalesce(a.acknowledged_until, 'infinity') > now())`;

const WORST = "(a.severity = 'critical'), a.fired_at, a.id";

/** Reads alerts in the order that is asked for. Names of what was removed stay. */
export async function readAlerts(db: Pool | PoolClient, filter: AlertFilter): Promise<StoredAlert[]> {
  const isWorst = filter.order === "worst";
  const order = (isWorst ? WORST : "a.id").replace(/(,|$)/g, " DESC$1");
  const after = isWorst ? `(${WORST}) < (SELECT ${WORST} FROM alert a WHERE a.id = $9)` : "a.id < $9";
  const time = (ms: EpochMs | undefined) => (ms === undefined ? null : timeText(ms));
  // What is told of each is looked up for those that are listed alone, however many there are.
  const { rows } = await db.query<StoredAlert>(
    `WITH listed AS MATERIALIZED (
       SELECT a.* FROM alert a LEFT JOIN device d ON d.id = a.device_id LEFT JOIN site s ON s.id = a.site_id
       WHERE ($1::integer[] IS NULL OR a.site_id = ANY ($1)) AND ($2::bigint IS NULL OR a.id = $2)
         AND CASE $3 WHEN 'open' THEN a.ended_at IS NULL WHEN 'ended' THEN a.ended_at IS NOT NULL ELSE true END
         AND ($4::text IS NULL OR a.severity = $4) AND ($5::text IS NULL OR ${ACKNOWLEDGED} = ($5 = 'yes')) AND ($6::integer IS NULL OR a.rule_id = $6)
         AND ($7::text[] IS NULL OR coalesce(d.name, a.device_name) = ANY ($7)) AND ($8::text IS NULL OR coalesce(s.name, a.site_name) = (SELECT site_now($8)))
         AND ($9::bigint IS NULL OR ${after})
         AND CASE WHEN $11::text IS NULL THEN true WHEN $11 = 'none' THEN a.parent_id IS NULL ELSE a.parent_id = $11::bigint END
         AND ($12::timestamptz IS NULL OR a.ended_at IS NULL OR a.ended_at > $12) AND ($13::timestamptz IS NULL OR a.started_at < $13)
       ORDER BY ${order} LIMIT $10)
     SELECT a.id::text AS id, a.rule_id AS "ruleId", coalesce(r.name, v.name, '') AS "ruleName", a.rule_version AS "ruleVersion", v.spec,
       coalesce(d.name, a.device_name) AS device, coalesce(s.name, a.site_name) AS site, a.subject, coalesce(m.name, a.metric_name, v.spec->'conditions'->a.condition->>'metric') AS metric, a.condition,
       CASE WHEN v.spec->>'kind' IS DISTINCT FROM 'oddness' THEN coalesce(u.unit, m.unit) END AS unit,
       CASE WHEN v.spec->>'kind' IS DISTINCT FROM 'oddness' AND v.spec->'conditions'->coalesce(a.condition, 0)->>'what' IS DISTINCT FROM 'changePerMinute' THEN m.decimals END AS decimals, m.color,
       a.severity, a.state,
       ${ms("a.started_at")} AS "startedAt", ${ms("a.fired_at")} AS "firedAt", ${ms("a.ended_at")} AS "endedAt", ${ms("a.decided_at")} AS "decidedAt",
       a.first_value AS "firstValue", a.worst_value AS "worstValue", ${ms("a.worst_at")} AS "worstAt", a.last_value AS "lastValue",
       a.closed_reason AS "closedReason", a.late, a.parent_id::text AS parent, a.flaps, a.flapping, ${ms("a.no_data_since")} AS "noDataSince",
       (SELECT count(*) FROM alert c WHERE c.parent_id = a.id AND c.ended_at IS NULL)::integer AS children, r.runbook,
       CASE WHEN ${ACKNOWLEDGED} THEN ${ms("a.acknowledged_at")} END AS "acknowledgedAt", ${signedBy("a.acknowledged_by")} AS "acknowledgedBy",
       ${ms("a.acknowledged_until")} AS "acknowledgedUntil", a.acknowledged_note AS "acknowledgedNote"
     FROM listed a LEFT JOIN alert_rule r ON r.id = a.rule_id
     LEFT JOIN alert_rule_version v ON v.rule_id = a.rule_id AND v.version = a.rule_version
     LEFT JOIN device d ON d.id = a.device_id LEFT JOIN site s ON s.id = a.site_id LEFT JOIN metric m ON m.id = coalesce(a.metric_id, a.value_metric_id)
     LEFT JOIN device_unit u ON u.device_id = a.device_id AND u.metric_id = m.id
     ORDER BY ${order}`,
    [
      ...[
        filter.sites === "all" ? null : filter.sites,
        filter.id ?? null,
        filter.state ?? "all",
        filter.severity ?? null,
      ],
      ...[filter.acknowledged ?? null, filter.rule ?? null, filter.devices ?? (filter.device ? [filter.device] : null)],
      ...[filter.site ?? null, filter.after ?? null, filter.limit, filter.parent ?? null],
      ...[time(filter.from), time(filter.to)],
    ],
  );
  return rows.map((row) => ({ ...row, spec: readSpec(row.spec) }));
}

/** Reads what happened to an alert, in its order. */
export async function readEvents(db: Pool | PoolClient, alert: string): Promise<StoredEvent[]> {
  const { rows } = await db.query<StoredEvent>(
    `SELECT e.id::text AS id, e.kind, e.severity, ${ms("e.at")} AS at, ${ms("e.decided_at")} AS "decidedAt", e.value, e.detail->>'reason' AS reason,
       m.name AS metric, coalesce(u.unit, m.unit) AS unit, ${signedBy("(e.detail->>'by')")} AS by, e.detail->>'note' AS note
     FROM alert_event e JOIN alert a ON a.id = e.alert_id
     LEFT JOIN metric m ON m.id = (e.detail->>'metric')::integer LEFT JOIN device_unit u ON u.device_id = a.device_id AND u.metric_id = m.id
     WHERE e.alert_id = $1 ORDER BY e.id`,
    [alert],
  );
  return rows;
}

/** Says that somebody looks after an alert, until it is over or `until`. @returns false when it is over */
export async function acknowledge(
  tx: PoolClient,
  alert: string,
  { by, note, until }: { readonly by: string; readonly note: string | null; readonly until: EpochMs | null },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE alert SET acknowledged_at = now(), acknowledged_by = $2, acknowledged_note = $3, acknowledged_until = $4
     WHERE id = $1 AND ended_at IS NULL`,
    [alert, by, note, until === null ? null : timeText(until)],
  );
  if (rowCount === 0) return false;
  await addEvent(tx, alert, "acknowledged", { by, note, until: until === null ? null : timeText(until) });
  return true;
}

/** Takes that back. @returns false when nobody had said so */
export async function unacknowledge(tx: PoolClient, alert: string, by: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE alert SET acknowledged_at = NULL, acknowledged_by = NULL, acknowledged_note = NULL, acknowledged_until = NULL
     WHERE id = $1 AND acknowledged_at IS NOT NULL AND ended_at IS NULL`,
    [alert],
  );
  if (rowCount === 0) return false;
  await addEvent(tx, alert, "unacknowledged", { by });
  return true;
}

async function addEvent(tx: PoolClient, alert: string, kind: string, detail: object): Promise<void> {
  await tx.query(
    `INSERT INTO alert_event (alert_id, kind, severity, at, value, detail) SELECT id, $2, severity, now(), last_value, $3 FROM alert WHERE id = $1`,
    [alert, kind, JSON.stringify(detail)],
  );
}
