import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { EDITS, type EventKind, type EventSeverity } from "@/server/domain/events/event";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";

/** Devices named of a group. */
const NAMED = 5;
/** Devices of a site that were heard last within so long of each other are one group. */
const GROUP_SECONDS = 60;

/** An event, or devices of a site that went stale or fell silent together. */
export interface StoredEvent {
  /** Its source and its number there; a group's is that of its first. */
  readonly id: string;
  readonly kind: EventKind;
  readonly key: string;
  readonly severity: EventSeverity;
  readonly site: string | null;
  readonly device: string | null;
  readonly from: EpochMs;
  readonly to: EpochMs | null;
  readonly count: number;
  /** Of devices that were overdue those that fell silent. */
  readonly silent: number;
  /** Of them those that go on. */
  readonly open: number;
  readonly devices: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventFilter {
  readonly sites: Sites;
  /** Those that were, in part at least, between these. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly kinds?: readonly EventKind[] | undefined;
  readonly severity?: EventSeverity | undefined;
  readonly site?: string | undefined;
  readonly devices?: readonly string[] | undefined;
  /** Anywhere in what it is told by. */
  readonly text?: string | undefined;
  readonly isGrouped: boolean;
  readonly after?: { readonly from: EpochMs; readonly id: string } | undefined;
  readonly limit: number;
}

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** What of an edit was a person's or a device's, and is kept apart. */
const apart = (part: "before" | "after") =>
  `(SELECT array_agg(v.value ORDER BY v.value) FROM audit_value v WHERE v.row_id = u.id AND v.path LIKE 'detail.${part}.%')`;

/** The sources, each with the same columns. What changed nothing, or was only tried (`dryRun`), is on record, and no event. A device's are where it is now. Parameters: 1 sites, 2 from, 3 to, 4 kinds, 12 verbs of edits. */
const ALL = `
  SELECT 'e' || e.id AS id, e.kind, e.key, e.severity, coalesce(d.site_id, e.site_id) AS site_id, coalesce(s.name, e.site_name) AS site,
    coalesce(d.name, e.device_name) AS device, e.started_at, e.ended_at,
    CASE WHEN e.data ? 'by' THEN e.data || jsonb_build_object('by', coalesce((SELECT name FROM account WHERE 'user ' || id = e.data->>'by'), e.data->>'by')) ELSE e.data END AS data
  FROM event e LEFT JOIN device d ON d.id = e.device_id LEFT JOIN site s ON s.id = coalesce(d.site_id, e.site_id)
  WHERE e.started_at < $3 AND (e.ended_at IS NULL OR e.ended_at >= $2) AND ($4::text[] IS NULL OR e.kind = ANY ($4))
  UNION ALL
  SELECT 'a' || a.id, 'alert', a.id::text, a.severity, a.site_id, coalesce(s.name, a.site_name), coalesce(d.name, a.device_name), a.started_at, a.ended_at,
    jsonb_build_object('rule', coalesce(r.name, v.name, ''), 'metric', coalesce(m.name, a.metric_name), 'subject', a.subject)
  FROM alert a LEFT JOIN device d ON d.id = a.device_id LEFT JOIN site s ON s.id = a.site_id LEFT JOIN metric m ON m.id = a.metric_id
    LEFT JOIN alert_rule r ON r.id = a.rule_id LEFT JOIN alert_rule_version v ON v.rule_id = a.rule_id AND v.version = a.rule_version
  WHERE a.started_at < $3 AND (a.ended_at IS NULL OR a.ended_at >= $2) AND a.parent_id IS NULL AND ($4::text[] IS NULL OR 'alert' = ANY ($4))
  UNION ALL
  SELECT 'j' || j.id, 'job', j.job, CASE j.state WHEN 'failed' THEN 'warning' ELSE 'info' END, NULL, NULL, NULL, coalesce(j.started_at, j.created_at), j.finished_at,
    jsonb_build_object('title', k.title, 'state', j.state)
  FROM job_run j LEFT JOIN job k ON k.name = j.job
  WHERE $1::integer[] IS NULL AND j.finished_at >= $2 AND coalesce(j.started_at, j.created_at) < $3 AND (j.trigger = 'request' OR j.state IN ('failed', 'stopped'))
    AND ($4::text[] IS NULL OR 'job' = ANY ($4))
  UNION ALL
  SELECT 'u' || u.id, 'edit', u.verb, 'info', d.site_id, s.name, d.name, u.time, u.time, jsonb_build_object('verb', u.verb, 'target', t.target)
  FROM audit_row u CROSS JOIN LATERAL (
      SELECT coalesce(u.target, (SELECT value FROM audit_value v WHERE v.row_id = u.id AND v.path = 'target')) AS target) AS t
    LEFT JOIN device d ON u.verb IN ('updateDevice', 'changeDevices') AND d.name = t.target LEFT JOIN site s ON s.id = d.site_id
  WHERE u.time >= $2 AND u.time < $3 AND u.outcome = 'done' AND u.verb = ANY ($12) AND u.detail->'dryRun' IS DISTINCT FROM 'true' AND ($4::text[] IS NULL OR 'edit' = ANY ($4))
    AND NOT (u.detail->'before' IS NOT NULL AND u.detail->'before' = u.detail->'after' AND ${apart("before")} IS NOT DISTINCT FROM ${apart("after")})`;

/** Reads what happened, the latest first. What is of no site is told to who sees all sites alone. */
export async function readEvents(db: Pool | PoolClient, filter: EventFilter): Promise<StoredEvent[]> {
  const { sites, kinds, after } = filter;
  const { rows } = await db.query<StoredEvent>(
    `WITH seen AS (
       SELECT * FROM (${ALL}) a
       WHERE ($1::integer[] IS NULL OR a.site_id = ANY ($1)) AND ($5::text IS NULL OR a.severity = $5 OR ($5 = 'warning' AND a.severity = 'critical'))
         AND ($6::text IS NULL OR a.site = (SELECT site_now($6))) AND ($7::text[] IS NULL OR a.device = ANY ($7))
         AND ($8::text IS NULL OR strpos(lower(concat_ws(' ', a.kind, a.key, a.site, a.device, a.data)), lower($8)) > 0)),
     parted AS (
       SELECT *, sum(CASE WHEN started_at - before <= interval '${GROUP_SECONDS} s' THEN 0 ELSE 1 END) OVER (PARTITION BY kind = 'silence', site_id ORDER BY started_at, id) AS part
       FROM (SELECT *, lag(started_at) OVER (PARTITION BY kind = 'silence', site_id ORDER BY started_at, id) AS before FROM seen) s),
     grouped AS (
       SELECT min(id) AS id, kind, min(key) AS key, (array_agg(severity ORDER BY array_position(ARRAY['critical', 'warning', 'info'], severity)))[1] AS severity, min(site) AS site, CASE WHEN count(*) = 1 THEN min(device) END AS device,
         min(started_at) AS started_at, CASE WHEN bool_and(ended_at IS NOT NULL) THEN max(ended_at) END AS ended_at,
         count(*)::integer AS count, (count(*) FILTER (WHERE kind = 'silence' AND data->>'state' IS DISTINCT FROM 'stale'))::integer AS silent, (count(*) FILTER (WHERE ended_at IS NULL))::integer AS open,
         coalesce((array_agg(device ORDER BY device) FILTER (WHERE device IS NOT NULL))[1:${NAMED}], '{}') AS devices, (array_agg(data))[1] AS data
       FROM parted GROUP BY kind, CASE WHEN kind = 'silence' AND $9 THEN 'site ' || coalesce(site_id, 0) || ' ' || part ELSE id END)
     SELECT id, kind, key, severity, site, device, ${ms("started_at")} AS "from", ${ms("ended_at")} AS "to", count, silent, open, devices, data
     FROM grouped WHERE $10::timestamptz IS NULL OR (started_at, id) < ($10, $11)
     ORDER BY started_at DESC, id DESC LIMIT $13`,
    [
      ...[sites === "all" ? null : sites, timeText(filter.from), timeText(filter.to), kinds ?? null],
      ...[filter.severity ?? null, filter.site ?? null, filter.devices ?? null, filter.text ?? null, filter.isGrouped],
      ...[after ? timeText(after.from) : null, after?.id ?? null, Object.keys(EDITS), filter.limit],
    ],
  );
  return rows;
}
