import type { PoolClient } from "pg";
import { dueAt } from "@/server/domain/alerts/deadlines";
import type { AlertEvent, AlertState, Episode } from "@/server/domain/alerts/state";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";
import { isStored } from "./judge-sample";
import type { Instance, Owner } from "./watched";

interface AlertRow {
  readonly id: string;
  episode: Episode;
  state: string;
  reason: string | null;
  instance: Instance;
  watched: Owner;
  isNew: boolean;
  /** It has become more severe than whoever acknowledged it knows. */
  isWorse: boolean;
}

interface EventRow extends AlertEvent {
  readonly alertId: string;
  /** The metric that its value is of; null: that of the alert. */
  readonly of: number | null;
}

/**
 * Writes what was decided: states, alerts and what happened to them. Afterwards the instances remember it as stored.
 */
export async function writeDecisions(tx: PoolClient, changed: ReadonlyMap<Instance, Owner>): Promise<void> {
  if (changed.size === 0) return;
  let fired = 0;
  for (const { events } of changed.keys()) for (const { kind } of events) if (kind === "fired") fired++;
  const ids = await nextIds(tx, fired);
  const alerts = new Map<string, AlertRow>();
  const events: EventRow[] = [];
  // Thousands may fall silent at once: a row is made once, and changed.
  const rowOf = (id: string, instance: Instance, watched: Owner, episode: Episode): AlertRow => {
    let row = alerts.get(id);
    if (row === undefined) {
      row = { id, episode, state: "firing", reason: null, instance, watched, isNew: false, isWorse: false };
      alerts.set(id, row);
    }
    row.episode = episode;
    return row;
  };
  for (const [instance, watched] of changed) {
    let alertId = instance.kept?.alertId ?? null;
    for (const event of instance.events) {
      const isNew = event.kind === "fired";
      if (isNew) alertId = ids.pop()!;
      if (alertId === null) continue;
      const row = rowOf(alertId, instance, watched, event.episode);
      row.reason = event.reason ?? row.reason;
      row.state = event.kind === "resolved" || event.kind === "closed" ? event.kind : "firing";
      row.isNew ||= isNew;
      row.isWorse ||= event.kind === "severity" && event.episode.severity === "critical";
      events.push({ ...event, alertId, of: saidOf(instance, event.episode).metric });
    }
    const { state } = instance;
    if (state?.episode && (state.phase === "firing" || state.phase === "recovering") && alertId !== null) {
      instance.state = { ...state, alertId };
      rowOf(alertId, instance, watched, state.episode).state = state.phase;
    }
  }
  const rows = [...alerts.values()];
  await insertAlerts(
    tx,
    rows.filter(({ isNew }) => isNew),
  );
  await updateAlerts(
    tx,
    rows.filter(({ isNew }) => !isNew),
  );
  await insertEvents(tx, events);
  const beneath = rows.filter(({ isNew, instance }) => isNew && instance.parent !== undefined);
  await noteChildren(
    tx,
    beneath.map(({ id }) => id),
  );
  await writeStates(tx, changed);
  for (const instance of changed.keys()) {
    const { state } = instance;
    instance.kept = state !== null && isStored(instance, state) ? state : null;
    instance.events = [];
  }
}

async function nextIds(tx: PoolClient, count: number): Promise<string[]> {
  if (count === 0) return [];
  const { rows } = await tx.query<{ id: string }>(
    `SELECT nextval(name)::text AS id FROM (SELECT pg_get_serial_sequence('alert', 'id')::regclass AS name OFFSET 0) AS s, generate_series(1, $1)`,
    [count],
  );
  return rows.map(({ id }) => id).reverse();
}

const EPISODE_COLUMNS = `severity text, state text, started_at timestamptz, fired_at timestamptz, ended_at timestamptz,
  first_value float8, worst_value float8, worst_at timestamptz, last_value float8, closed_reason text, flaps integer, flapping boolean, no_data_since timestamptz, condition smallint, value_metric_id integer`;

const EPISODE_NAMES = EPISODE_COLUMNS.split(",").map((column) => column.trim().split(" ")[0]!);

const textOf = (time: EpochMs | null) => (time === null ? null : timeText(time));

/** Of several conditions: the one that an episode's values are of, by its place, and its metric. Nulls: there are no several, or it isn't known. */
function saidOf(
  { metric, judged }: Instance,
  { condition }: Episode,
): { readonly place: number | null; readonly metric: number | null } {
  const said = condition === undefined ? undefined : judged.conditions[condition];
  if (metric !== 0 || said === undefined || said.metric === 0) return { place: null, metric: null };
  return { place: said.place, metric: said.metric };
}

function episodeOf({ episode, state, reason, instance }: AlertRow) {
  const said = saidOf(instance, episode);
  const {
    severity,
    startedAt,
    firedAt,
    endedAt,
    firstValue,
    worstValue,
    worstAt,
    lastValue,
    flaps,
    flapping,
    noDataSince,
  } = episode;
  return {
    severity,
    state,
    started_at: textOf(startedAt),
    fired_at: textOf(firedAt),
    ended_at: textOf(endedAt),
    first_value: firstValue,
    worst_value: worstValue,
    worst_at: textOf(worstAt),
    last_value: lastValue,
    closed_reason: reason,
    flaps,
    flapping,
    no_data_since: textOf(noDataSince),
    condition: said.place,
    value_metric_id: said.metric,
  };
}

async function insertAlerts(tx: PoolClient, rows: readonly AlertRow[]): Promise<void> {
  if (rows.length === 0) return;
  const made = rows.map((row) => ({
    id: row.id,
    rule_id: row.instance.rule.id,
    rule_version: row.instance.rule.version,
    device_id: row.watched.id || null,
    site_id: row.watched.siteId,
    metric_id: row.instance.metric || null,
    device_name: row.watched.facts.name || null,
    site_name: row.watched.facts.site,
    subject: row.instance.subject,
    parent_id: row.instance.parent ?? null,
    metric_name: row.watched.metricNames.get(row.instance.metric) ?? null,
    late: row.instance.late ?? false,
    ...episodeOf(row),
  }));
  await tx.query(
    `INSERT INTO alert (id, rule_id, rule_version, device_id, site_id, metric_id, device_name, site_name, subject, metric_name, late, parent_id, ${EPISODE_NAMES.join(", ")})
     OVERRIDING SYSTEM VALUE
     SELECT id, rule_id, rule_version, device_id, site_id, metric_id, device_name, site_name, subject, metric_name, late, parent_id, ${EPISODE_NAMES.join(", ")}
     FROM json_to_recordset($1::json) AS n (id bigint, rule_id integer, rule_version integer, device_id integer, site_id integer, metric_id integer,
       device_name text, site_name text, subject text, metric_name text, late boolean, parent_id bigint, ${EPISODE_COLUMNS})`,
    [JSON.stringify(made)],
  );
}

async function updateAlerts(tx: PoolClient, rows: readonly AlertRow[]): Promise<void> {
  if (rows.length === 0) return;
  const made = rows.map((row) => ({
    id: row.id,
    rule_version: row.instance.rule.version,
    worse: row.isWorse,
    ...episodeOf(row),
  }));
  const acknowledged = ["at", "by", "until", "note"].map((column) => `acknowledged_${column}`);
  await tx.query(
    `UPDATE alert a SET rule_version = n.rule_version, ${EPISODE_NAMES.map((name) => `${name} = n.${name}`).join(", ")},
       ${acknowledged.map((column) => `${column} = CASE WHEN n.worse THEN NULL ELSE a.${column} END`).join(", ")}
     FROM json_to_recordset($1::json) AS n (id bigint, rule_version integer, worse boolean, ${EPISODE_COLUMNS}) WHERE a.id = n.id`,
    [JSON.stringify(made)],
  );
}

async function insertEvents(tx: PoolClient, events: readonly EventRow[]): Promise<void> {
  if (events.length === 0) return;
  const made = events.map(({ alertId, kind, at, value, of, episode, reason, share }) => ({
    alert_id: alertId,
    kind,
    severity: episode.severity,
    at: timeText(at),
    value,
    detail: { ...(reason !== undefined && { reason }), ...share, ...(of !== null && value !== null && { metric: of }) },
  }));
  await tx.query(
    `INSERT INTO alert_event (alert_id, kind, severity, at, value, detail)
     SELECT alert_id, kind, severity, at, value, detail
     FROM json_to_recordset($1::json) AS n (alert_id bigint, kind text, severity text, at timestamptz, value float8, detail jsonb)`,
    [JSON.stringify(made)],
  );
}

/** Notes that alerts are beneath the alert of their site. Nobody is told of that. */
export async function noteChildren(tx: PoolClient, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query(
    `INSERT INTO alert_event (alert_id, kind, severity, at, detail, handled_at)
     SELECT id, 'child', severity, fired_at, jsonb_build_object('parent', parent_id::text), now() FROM alert WHERE id = ANY ($1::bigint[])`,
    [ids],
  );
}

async function writeStates(tx: PoolClient, changed: ReadonlyMap<Instance, Owner>): Promise<void> {
  const kept: {
    device: number;
    rule: number;
    metric: number;
    subject: string;
    site: number;
    version: number;
    state: AlertState;
    due: string | null;
  }[] = [];
  const gone: { device: number; rule: number; metric: number; site: number; subject: string }[] = [];
  for (const [instance, { id: device, siteId }] of changed) {
    const { state, rule, metric, judged, subject = "" } = instance;
    // A missed one that is over says nothing of how it stands now.
    if (instance.late && state === null) continue;
    const key = { device, rule: rule.id, metric, site: device === 0 ? (siteId ?? 0) : 0, subject };
    if (state !== null && isStored(instance, state)) {
      const due = dueAt(state, judged);
      kept.push({ ...key, version: rule.version, state, due: textOf(due) });
    } else gone.push(key);
  }
  if (kept.length > 0)
    await tx.query(
      `INSERT INTO alert_state (device_id, rule_id, metric_id, site_id, subject, version, state, due_at)
       SELECT device, rule, metric, site, subject, version, state, due
       FROM json_to_recordset($1::json) AS n (device integer, rule integer, metric integer, site integer, subject text, version integer, state jsonb, due timestamptz)
       ON CONFLICT (device_id, rule_id, metric_id, site_id, subject) DO UPDATE SET version = excluded.version, state = excluded.state, due_at = excluded.due_at`,
      [JSON.stringify(kept)],
    );
  if (gone.length > 0)
    await tx.query(
      `DELETE FROM alert_state s USING json_to_recordset($1::json) AS n (device integer, rule integer, metric integer, site integer, subject text)
       WHERE s.device_id = n.device AND s.rule_id = n.rule AND s.metric_id = n.metric AND s.site_id = n.site AND s.subject = n.subject`,
      [JSON.stringify(gone)],
    );
}
