import type { Pool } from "pg";
import { reason, type Reason, type SaidMetric, type Say, valueOf } from "@/server/domain/alerts/why";
import type { EpochMs } from "@/server/domain/terms";

/** What became of telling people of an alert: the end of a sentence that says that it fired, and what programs go by. */
export interface ToldPart {
  /** "and told on-call at 10:05:31, which answered 200 OK" */
  readonly clause: string;
  readonly numbers: Reason["numbers"];
  readonly times: Reason["times"];
  readonly words: Reason["words"];
  readonly steps: readonly { readonly at: EpochMs; readonly words: string }[];
}

export type ReadTold = (alert: string, say: Say) => Promise<ToldPart>;

/** An alert as it is explained. */
export interface SeenAlert {
  readonly id: string;
  readonly metric: string | null;
  /** The engine or the source it is of, empty of the whole pipeline; null: it is of a device or a site. */
  readonly subject: string | null;
  readonly severity: string;
  readonly state: string;
  readonly startedAt: EpochMs;
  readonly firedAt: EpochMs;
  readonly endedAt: EpochMs | null;
  readonly decidedAt: EpochMs;
  readonly firedValue: number | null;
  /** Of an alert of several metrics: the one that this value is of. */
  readonly firedMetric: string | null;
  readonly late: boolean;
  readonly flapping: boolean;
  readonly parent: string | null;
  readonly closedReason: string | null;
  readonly acknowledgedAt: EpochMs | null;
  readonly acknowledgedBy: string | null;
}

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** The alerts of a rule that touch [from, to]: of the device and of its whole site, or (null) those of no device or site. The earliest first. */
export async function readAlertsOf(
  db: Pool,
  {
    rule,
    device,
    metric,
    from,
    to,
  }: { rule: number; device: number | null; metric: string | null; from: EpochMs; to: EpochMs },
): Promise<SeenAlert[]> {
  const { rows } = await db.query<SeenAlert>(
    `SELECT a.id::text AS id, coalesce(m.name, a.metric_name) AS metric, a.subject, a.severity, a.state, ${ms("a.started_at")} AS "startedAt", ${ms("a.fired_at")} AS "firedAt",
       ${ms("a.ended_at")} AS "endedAt", ${ms("a.decided_at")} AS "decidedAt", a.late, a.flapping, a.parent_id::text AS parent, a.closed_reason AS "closedReason",
       f.value AS "firedValue", (SELECT name FROM metric WHERE id = f.of) AS "firedMetric",
       ${ms("a.acknowledged_at")} AS "acknowledgedAt",
       coalesce((SELECT name FROM account WHERE 'user ' || id = a.acknowledged_by), a.acknowledged_by) AS "acknowledgedBy"
     FROM alert a LEFT JOIN metric m ON m.id = a.metric_id
     LEFT JOIN LATERAL (
       SELECT e.value, (e.detail->>'metric')::integer AS of FROM alert_event e WHERE e.alert_id = a.id AND e.kind = 'fired' ORDER BY e.id LIMIT 1) f ON true
     WHERE a.rule_id = $1 AND (a.device_id = $2::integer OR (a.device_id IS NULL AND a.site_id = (SELECT site_id FROM device WHERE id = $2::integer))
         OR ($2::integer IS NULL AND a.device_id IS NULL AND a.device_name IS NULL AND a.site_id IS NULL))
       AND ($3::text IS NULL OR a.metric_id IS NULL OR coalesce(m.name, a.metric_name) = $3)
       AND a.started_at <= to_timestamp($5 / 1000.0) AND coalesce(a.ended_at, 'infinity') >= to_timestamp($4 / 1000.0)
     ORDER BY a.fired_at, a.id LIMIT 1000`,
    [rule, device, metric, from, to],
  );
  return rows;
}

/** The one of several alerts that a question is about: that of its moment, else the first that fired within, else the one that fired already. */
export function alertAsked(alerts: readonly SeenAlert[], from: EpochMs, at: EpochMs | null): SeenAlert | null {
  const covers = (alert: SeenAlert) => at !== null && alert.startedAt <= at && (alert.endedAt ?? Infinity) >= at;
  return alerts.findLast(covers) ?? alerts.find(({ firedAt }) => firedAt >= from) ?? alerts.at(-1) ?? null;
}

/** Says of an alert that it fired, or fires already, and who was told. @param spans whether the question begins after it fired */
export async function firedReason(
  alert: SeenAlert,
  { isBefore, metric, say, readTold }: { isBefore: boolean; metric: SaidMetric | null; say: Say; readTold: ReadTold },
): Promise<{ readonly reason: Reason; readonly steps: ToldPart["steps"] }> {
  const { id, startedAt, firedAt, endedAt, late, flapping, decidedAt, firedValue } = alert;
  const told = await readTold(id, say);
  const name = alert.firedMetric === null ? "" : `${alert.firedMetric} `;
  const value =
    firedValue === null ? "" : ` with ${name}${metric ? valueOf({ what: "value" }, metric, firedValue) : firedValue}`;
  const times = {
    started: startedAt,
    fired: firedAt,
    decided: decidedAt,
    ...(endedAt !== null && { ended: endedAt }),
    ...told.times,
  };
  const numbers = { alert: Number(id), ...(firedValue !== null && { value: firedValue }), ...told.numbers };
  const words = { ...told.words, ...(alert.parent !== null && { parent: alert.parent }) };
  const steps = [
    { at: startedAt, words: "It began" },
    { at: firedAt, words: `Fired${value}` },
    ...(endedAt === null
      ? []
      : [{ at: endedAt, words: alert.closedReason === null ? "Over" : `Closed: ${alert.closedReason}` }]),
    ...told.steps,
  ];
  if (isBefore) {
    const acknowledged =
      alert.acknowledgedAt === null
        ? ""
        : `, acknowledged by ${alert.acknowledgedBy ?? "somebody"} at ${say.time(alert.acknowledgedAt)}`;
    const end = endedAt === null ? "" : ` until ${say.time(endedAt)}`;
    const flaps = flapping ? "; it flaps, and has to be over for longer than the rule says" : "";
    return {
      reason: reason(
        "already-firing",
        `Already firing since ${say.time(firedAt)}${end} (alert ${id}), ${told.clause}${acknowledged}${flaps}.`,
        {
          ...{ at: firedAt, numbers, times },
          words: { ...words, ...(alert.acknowledgedBy !== null && { acknowledgedBy: alert.acknowledgedBy }) },
        },
      ),
      steps,
    };
  }
  const found = late ? `, found at ${say.time(decidedAt)} when late readings were judged` : "";
  const flaps = flapping ? "; it flaps" : "";
  return {
    reason: reason("fired", `Fired at ${say.time(firedAt)}${value} (alert ${id})${found}, ${told.clause}${flaps}.`, {
      ...{ at: firedAt, numbers, times, words },
    }),
    steps,
  };
}
