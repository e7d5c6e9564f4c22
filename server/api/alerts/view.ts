import type { z } from "zod";
import type { StoredAlert, StoredEvent } from "@/server/alerting/alerts";
import type { alert, alertEvent } from "@/server/contracts/alerts";
import { toInstant, toInstantOrNull } from "../instant";
import { ProblemError } from "../problem";

export function toAlert(row: StoredAlert): z.input<typeof alert> {
  const { id, device, site, subject, metric, unit, severity, state, closedReason, late, parent } = row;
  const { firstValue, worstValue, lastValue, decimals, color, condition } = row;
  return {
    ...{ id, device, site, subject, metric, unit, severity, state, closedReason, late, parent },
    ...{ firstValue, worstValue, lastValue, decimals, color, condition },
    rule: { id: row.ruleId, name: row.ruleName, version: row.ruleVersion },
    ...{ startedAt: toInstant(row.startedAt), firedAt: toInstant(row.firedAt), endedAt: toInstantOrNull(row.endedAt) },
    ...{ decidedAt: toInstant(row.decidedAt), worstAt: toInstantOrNull(row.worstAt) },
    ...{ flaps: row.flaps, flapping: row.flapping, noDataSince: toInstantOrNull(row.noDataSince) },
    acknowledged:
      row.acknowledgedAt === null
        ? null
        : {
            ...{ at: toInstant(row.acknowledgedAt), by: row.acknowledgedBy ?? "" },
            ...{ until: toInstantOrNull(row.acknowledgedUntil), note: row.acknowledgedNote },
          },
  };
}

export function toEvent({ at, decidedAt, ...event }: StoredEvent): z.input<typeof alertEvent> {
  return { ...event, at: toInstant(at), decidedAt: toInstant(decidedAt) };
}

export function noAlert(id: string): ProblemError {
  return new ProblemError("not-found", `There is no alert ${id}.`);
}
