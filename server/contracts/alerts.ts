import { z } from "zod";
import { SEVERITIES } from "@/server/domain/alerts/rule";
import { cursor, instant, moment, nameList, pageOf, text } from "./common";

const severity = z.enum(SEVERITIES);
const alertId = z.string().regex(/^[1-9]\d{0,17}$/, "must be the id of an alert");
const ALERT_STATES = ["firing", "recovering", "resolved", "closed"] as const;

export const alert = z
  .object({
    id: z.string(),
    rule: z.object({ id: z.int(), name: z.string(), version: z.int() }),
    device: z.string().nullable(),
    site: z.string().nullable(),
    subject: z.string().nullable().describe("The engine or the source that it is about"),
    metric: z.string().nullable().describe("The metric that its values are of; null: of none, or it isn't known"),
    condition: z
      .int()
      .nullable()
      .describe(
        "Of a rule of several conditions: which one its values are of, by its place from 0. It stays while no other is more severe; null: there is one",
      ),
    unit: z.string().nullable().describe("Of the metric at the device"),
    decimals: z.int().nullable().describe("Digits after the point that its values are measured with; null: as sent"),
    color: z.int().nullable().describe("The metric's place in the palette of charts; null: one is chosen by its name"),
    severity,
    state: z.enum(ALERT_STATES),
    startedAt: instant.describe("Event time since which it was true"),
    firedAt: instant.describe("Event time at which that had lasted long enough"),
    endedAt: instant.nullable().describe("Event time at which it was over"),
    decidedAt: instant.describe("When that was decided, by the clock here"),
    firstValue: z.number().nullable().describe("The first since its values are of this condition"),
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

const listedAlert = alert
  .extend({
    children: z.int().describe("Open alerts beneath it"),
    told: z
      .array(z.object({ channel: z.string(), state: z.enum(["told", "waiting", "failed"]) }))
      .describe("Channels that were told of it or will be, as far as their last message goes"),
    untold: z
      .object({
        why: z.enum(["silenced", "maintenance", "inhibited", "no-route", "channel-off"]),
        name: z.string().nullable().describe("The silence's reason, or the maintenance window's or route's name"),
      })
      .nullable()
      .describe("Why nobody would be told of it now; null: somebody would be, or it is over"),
  })
  .meta({ id: "ListedAlert" });

export const alertsAnswer = pageOf(listedAlert);

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
  devices: nameList(500).optional().describe("Of one of these devices, joined by commas, at most 500"),
  site: text(128).optional(),
  parent: z
    .union([z.literal("none"), alertId])
    .optional()
    .describe("none: those beneath no other; an id: those beneath this one"),
  from: moment.optional().describe("Only those that weren't over before, by event time"),
  to: moment.optional().describe("Only those that began before, by event time"),
  order: z
    .enum(["latest", "worst"])
    .default("latest")
    .describe("latest: decided last first; worst: critical first, then those that fired last"),
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
    metric: z.string().nullable().describe("The metric that its value is of; null: that of the alert"),
    unit: z.string().nullable().describe("Of that metric at the device"),
    reason: z.string().nullable(),
    by: z.string().nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: "AlertEvent" });

export const alertWithEvents = alert
  .extend({
    events: z.array(alertEvent),
    sentence: z.string().nullable(),
    runbook: z.string().nullable().describe("What to do, as its rule says now"),
    children: z.int().describe("Open alerts beneath it"),
  })
  .meta({ id: "AlertWithEvents" });

export const alertPath = z.object({ alert: alertId });

export const acknowledgement = z
  .object({
    note: text(2000).nullable().default(null),
    until: moment
      .nullable()
      .default(null)
      .describe("When it ends; null: with the alert, or when that becomes more severe"),
  })
  .strict();

export const alertSummary = z
  .object({
    firing: z.int().describe("Alerts that aren't over, without those beneath another"),
    critical: z.int().describe("Of these"),
    acknowledged: z.int().describe("Of these"),
    criticalAcknowledged: z.int().describe("Of these"),
    beneath: z.int().describe("Open alerts beneath the alert of their site"),
    criticalSites: z.array(z.string()).describe("Where something critical fires"),
    silenced: z.int().describe("Of those that fire: silenced, or under maintenance"),
    tellsAnybody: z.boolean().describe("Whether a route that is on leads to a channel that is on"),
    channels: z
      .array(z.object({ name: z.string(), since: instant, waiting: z.int().describe("Messages") }))
      .describe("Channels that take nothing; told only to who sees all sites"),
  })
  .meta({ id: "AlertSummary" });

export type AlertSummary = z.infer<typeof alertSummary>;
export type ListedAlert = z.infer<typeof listedAlert>;
export type Alert = z.infer<typeof alert>;
export type AlertWithEvents = z.infer<typeof alertWithEvents>;
