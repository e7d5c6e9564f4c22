import { z } from "zod";
import { SEVERITIES } from "@/server/domain/alerts/rule";
import { cursor, instant, pageOf, text } from "./common";

const severity = z.enum(SEVERITIES);
const ALERT_STATES = ["firing", "recovering", "resolved", "closed"] as const;

export const alert = z
  .object({
    id: z.string(),
    rule: z.object({ id: z.int(), name: z.string(), version: z.int() }),
    device: z.string().nullable(),
    site: z.string().nullable(),
    subject: z.string().nullable().describe("The engine or the source that it is about"),
    metric: z.string().nullable(),
    unit: z.string().nullable().describe("Of the metric at the device"),
    severity,
    state: z.enum(ALERT_STATES),
    startedAt: instant.describe("Event time since which it was true"),
    firedAt: instant.describe("Event time at which that had lasted long enough"),
    endedAt: instant.nullable().describe("Event time at which it was over"),
    decidedAt: instant.describe("When that was decided, by the clock here"),
    firstValue: z.number().nullable(),
    worstValue: z.number().nullable(),
    worstAt: instant.nullable(),
    lastValue: z.number().nullable(),
    closedReason: z.string().nullable().describe("Why it ended without being over"),
    late: z.boolean().describe("Found when late readings were judged"),
    parent: z.string().nullable().describe("The alert of the whole site that it belongs to"),
    flaps: z.int().describe("How often it was nearly over"),
    flapping: z.boolean(),
    noDataSince: instant.nullable().describe("Since when nobody knows whether it is over"),
    acknowledged: z
      .object({ at: instant, by: z.string(), until: instant.nullable(), note: z.string().nullable() })
      .nullable(),
  })
  .meta({ id: "Alert" });

export const alertsAnswer = pageOf(alert);

export const alertsQuery = z.object({
  state: z.enum(["open", "ended", "all"]).default("all").describe("open: firing or recovering"),
  severity: severity.optional(),
  acknowledged: z.enum(["yes", "no"]).optional(),
  rule: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .optional()
    .describe("A rule's id"),
  device: text(128).optional(),
  site: text(128).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor,
});

export const alertEvent = z
  .object({
    id: z.string(),
    kind: z
      .string()
      .describe(
        "fired, severity, resolved, closed, stale, flapping, steady, rule-changed, acknowledged, unacknowledged or note",
      ),
    severity,
    at: instant.describe("Event time"),
    decidedAt: instant,
    value: z.number().nullable(),
    reason: z.string().nullable(),
    by: z.string().nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: "AlertEvent" });

export const alertWithEvents = alert
  .extend({ events: z.array(alertEvent), sentence: z.string().nullable() })
  .meta({ id: "AlertWithEvents" });

export const alertPath = z.object({ alert: z.string().regex(/^[1-9]\d{0,17}$/, "must be the id of an alert") });

export const acknowledgement = z
  .object({
    note: text(2000).nullable().default(null),
    until: instant
      .nullable()
      .default(null)
      .describe("When it ends; null: with the alert, or when that becomes more severe"),
  })
  .strict();

export type Alert = z.infer<typeof alert>;
export type AlertWithEvents = z.infer<typeof alertWithEvents>;
