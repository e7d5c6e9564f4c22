import { z } from "zod";
import { CHANNEL_KINDS, CHANNELS } from "@/server/domain/notifications/channel";
import { GROUP_BY, matchersSchema } from "@/server/domain/notifications/matcher";
import { OCCASIONS } from "@/server/domain/notifications/message";
import { NOTIFICATION_STATES, VERDICTS } from "@/server/domain/notifications/verdict";
import { instant, moment, text } from "./common";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const name = text(100).trim().min(1);
const rowId = z.int().min(1).max(2_147_483_647);

/** Path of whatever has a number. */
export const numberedPath = z.object({ id: z.coerce.number().int().min(1).max(2_147_483_647) });

const settings = z.record(z.string(), z.unknown());
const revision = z.int().min(0).describe("Give it back with a change: it is refused when somebody else's came between");

export const channelView = z
  .object({
    id: z.int(),
    name: z.string(),
    kind: z.enum(CHANNEL_KINDS),
    title: z.string().describe("Its kind, for people"),
    settings: settings.nullable().describe("By the kind; null for who may not change it"),
    secrets: z.array(z.string()).describe("Which of its secrets are set; they are never shown"),
    enabled: z.boolean(),
    fallback: z.int().nullable().describe("The channel by which it is told that this one can't be used"),
    mostPerHour: z.int().describe("What is more waits five minutes, and is told together"),
    failingSince: instant.nullable(),
    trouble: z.string().nullable().describe("What the other side said last, while it is failing"),
    nextTryAt: instant.nullable(),
    lastOkAt: instant.nullable(),
    waiting: z.int().describe("Messages that wait for it"),
    revision,
  })
  .meta({ id: "Channel" });
export const channelsAnswer = z.object({ items: z.array(channelView).describe("By name") }).meta({ id: "Channels" });

const channelParts = {
  name,
  settings: settings.describe("By the kind: docs/notifications.md"),
  secrets: z
    .record(z.string(), z.string().max(4096).nullable())
    .describe("By the kind, never shown again; with a change, what is left out stays and null takes away"),
  enabled: z.boolean(),
  fallback: rowId.nullable(),
  mostPerHour: z.int().min(1).max(100_000),
};
export const newChannelBody = z.strictObject({
  ...channelParts,
  kind: z.enum(CHANNEL_KINDS),
  settings: channelParts.settings.default({}),
  secrets: channelParts.secrets.default({}),
  enabled: channelParts.enabled.default(true),
  fallback: channelParts.fallback.default(null),
  mostPerHour: channelParts.mostPerHour.default(120),
});
export const channelChanges = z.strictObject({ revision, ...z.object(channelParts).partial().shape });
export const deletedNumber = z.object({ id: z.int() });

/** Checks what is said of a channel against its kind. @returns what is wrong with it, by place. */
export function channelProblems(
  kind: (typeof CHANNEL_KINDS)[number],
  said: { readonly settings: unknown; readonly secrets: unknown },
): { readonly at: string; readonly message: string }[] {
  return (["settings", "secrets"] as const).flatMap((part) => {
    const read = CHANNELS[kind][part].safeParse(said[part]);
    return read.success
      ? []
      : read.error.issues.map((issue) => ({ at: [part, ...issue.path].join("."), message: issue.message }));
  });
}

export const channelTest = z
  .object({
    outcome: z.enum(["sent", "retry", "failed"]).describe("retry: it may work later; failed: not as it is set"),
    status: z.int().nullable().describe("Of HTTP or SMTP; null when no answer came"),
    answer: z.string().describe("What the other side said, or why nothing came"),
    tookMs: z.number(),
  })
  .meta({ id: "ChannelTest" });

const groupBy = z.array(z.enum(GROUP_BY)).max(GROUP_BY.length);
const ms = (most: number) => z.int().min(0).max(most);
const routeParts = {
  name,
  enabled: z.boolean(),
  matchers: matchersSchema.describe("All must hold; none: every alert that no route before takes"),
  channels: z.array(rowId).min(1).max(20),
  groupBy: groupBy.describe("What alerts that are told together have in common; none: all of the route together"),
  waitMs: ms(DAY).describe("From the first event of a group until it is told"),
  intervalMs: ms(DAY).describe("Between two messages of a group"),
  repeatMs: z
    .int()
    .min(MINUTE)
    .max(20 * DAY)
    .nullable()
    .describe("Told again while it fires and nobody acknowledges; null: never"),
  resolved: z.boolean().describe("Whether it is told that alerts are over"),
  late: z.boolean().describe("Whether episodes are told that came to light later"),
  escalate: z
    .strictObject({
      afterMs: z
        .int()
        .min(MINUTE)
        .max(20 * DAY),
      channels: z.array(rowId).min(1).max(20),
    })
    .nullable()
    .describe("Who else is told when nobody acknowledges"),
};
export const routeView = z
  .object({
    id: z.int(),
    place: z.int().describe("The first route that matches takes an alert"),
    ...routeParts,
    revision,
  })
  .meta({ id: "Route" });
export const routesAnswer = z.object({ items: z.array(routeView).describe("In order") }).meta({ id: "Routes" });
export const newRouteBody = z.strictObject({
  ...routeParts,
  enabled: routeParts.enabled.default(true),
  matchers: routeParts.matchers.default([]),
  groupBy: routeParts.groupBy.default(["rule", "site"]),
  waitMs: routeParts.waitMs.default(30_000),
  intervalMs: routeParts.intervalMs.default(5 * MINUTE),
  repeatMs: routeParts.repeatMs.default(4 * 60 * MINUTE),
  resolved: routeParts.resolved.default(true),
  late: routeParts.late.default(true),
  escalate: routeParts.escalate.default(null),
});
export const routeChanges = z.strictObject({
  revision,
  place: z.int().min(1).max(1000).optional().describe("Where it is to be in the order, from 1"),
  ...z.object(routeParts).partial().shape,
});

const subject = text(128).min(1).nullable().default(null);
/** Body of POST /api/v1/route-check: an alert that might be. */
export const routeCheckBody = z.strictObject({
  ...{ rule: subject, site: subject, type: subject, device: subject, metric: subject },
  severity: z.enum(["warning", "critical"]).default("warning"),
  labels: z.record(text(128), text(128)).default({}),
});
export const routeCheck = z
  .object({
    route: z.object({ id: z.int(), name: z.string() }).nullable().describe("Null: nobody is told"),
    channels: z.array(z.object({ id: z.int(), name: z.string(), enabled: z.boolean() })),
    escalatesTo: z.array(z.object({ id: z.int(), name: z.string(), enabled: z.boolean() })),
    muted: z
      .object({ why: z.enum(["silenced", "maintenance"]), id: z.int(), name: z.string() })
      .nullable()
      .describe("What keeps it from being told now"),
    passed: z.array(z.string()).describe("Routes before it that don't match, by name"),
  })
  .meta({ id: "RouteCheck" });

export const silenceView = z
  .object({
    id: z.int(),
    matchers: matchersSchema,
    words: z.string().describe("The matchers as a sentence"),
    reason: z.string(),
    startsAt: instant,
    endsAt: instant,
    untilResolved: z.boolean().describe("Ends by itself once nothing that it covers is open"),
    state: z.enum(["pending", "active", "ended"]),
    by: z.string(),
    hides: z.int().describe("Open alerts that it covers now"),
  })
  .meta({ id: "Silence" });
export const silencesAnswer = z
  .object({ items: z.array(silenceView).describe("Those that end last first; of ended ones those of 30 days") })
  .meta({ id: "Silences" });
const silenceParts = {
  matchers: matchersSchema.min(1, "must say what is silenced"),
  startsAt: moment.optional().describe("Left out: now"),
  endsAt: moment.describe("30 days after it starts at most"),
};
export const newSilenceBody = z.strictObject({
  ...silenceParts,
  reason: text(500).trim().min(1),
  untilResolved: z.boolean().default(false),
});
export const silenceChanges = z.strictObject({ endsAt: silenceParts.endsAt });
export const silencePreviewBody = z.strictObject({ matchers: silenceParts.matchers });
export const silencePreview = z
  .object({
    now: z.int().describe("Open alerts that it would cover"),
    alerts: z.array(z.object({ id: z.int(), words: z.string() })).describe("The first of them"),
    week: z.object({
      alerts: z.int().describe("Alerts of the last seven days that it would have covered"),
      messages: z.int().describe("Messages about nothing else, which would not have been sent"),
      isMore: z.boolean().describe("There were more than were looked at"),
    }),
  })
  .meta({ id: "SilencePreview" });

const window = z.object({ from: instant, to: instant });
const maintenanceParts = {
  name,
  enabled: z.boolean(),
  matchers: matchersSchema,
  cron: text(100).min(1).describe("Minute, hour, day, month, day of the week: 0 2 * * 6 is each Saturday at two"),
  minutes: z.int().min(1).max(10_080).describe("How long each window lasts"),
  zone: text(64).min(1).describe("Of the IANA: Europe/Berlin"),
  note: text(500).nullable(),
};
export const maintenanceView = z
  .object({
    id: z.int(),
    ...maintenanceParts,
    words: z.string().describe("The matchers as a sentence"),
    now: window.nullable().describe("The window that is open"),
    next: z.array(window).describe("The next three"),
    fortnight: z.array(window).describe("Those of the next 14 days, the one that is open first; 400 at most"),
    revision,
  })
  .meta({ id: "Maintenance" });
export const maintenanceAnswer = z.object({ items: z.array(maintenanceView) }).meta({ id: "Maintenances" });
export const newMaintenanceBody = z.strictObject({
  ...maintenanceParts,
  enabled: maintenanceParts.enabled.default(true),
  zone: maintenanceParts.zone.default("UTC"),
  note: maintenanceParts.note.default(null),
});
export const maintenanceChanges = z.strictObject({ revision, ...z.object(maintenanceParts).partial().shape });

export const alertMessages = z
  .object({
    verdicts: z
      .array(
        z.object({
          event: z.int(),
          kind: z.string(),
          at: instant.describe("Event time"),
          verdict: z.enum(VERDICTS).nullable().describe("Null: not decided yet"),
          route: z.string().nullable(),
          by: z.string().nullable().describe("The silence, the window or the alert that is why"),
          decidedAt: instant.nullable(),
        }),
      )
      .describe("One an event, in order"),
    messages: z
      .array(
        z.object({
          id: z.string(),
          channel: z.string(),
          occasion: z.enum(OCCASIONS),
          title: z.string(),
          state: z.enum(NOTIFICATION_STATES),
          alerts: z.int().describe("How many alerts it is about"),
          madeAt: instant,
          sentAt: instant.nullable().describe("When the other side had taken it"),
          nextTryAt: instant.nullable(),
          attempts: z
            .array(
              z.object({
                at: instant,
                outcome: z
                  .enum(["sent", "retry", "failed"])
                  .nullable()
                  .describe("Null: the process ended before it knew"),
                status: z.int().nullable(),
                answer: z.string().nullable(),
                tookMs: z.int().nullable(),
              }),
            )
            .describe("The last 20, newest first"),
        }),
      )
      .describe("Newest first, at most 100"),
  })
  .meta({ id: "AlertMessages" });
export type AlertMessages = z.infer<typeof alertMessages>;
export type ChannelView = z.infer<typeof channelView>;
export type ChannelTest = z.infer<typeof channelTest>;
export type RouteView = z.infer<typeof routeView>;
export type RouteCheck = z.infer<typeof routeCheck>;
export type SilenceView = z.infer<typeof silenceView>;
export type SilencePreview = z.infer<typeof silencePreview>;
export type MaintenanceView = z.infer<typeof maintenanceView>;
export type ChannelBody = z.input<typeof newChannelBody>;
export type ChannelChanges = z.input<typeof channelChanges>;
export type RouteBody = z.input<typeof newRouteBody>;
export type RouteChanges = z.input<typeof routeChanges>;
export type RouteCheckBody = z.input<typeof routeCheckBody>;
export type SilenceBody = z.input<typeof newSilenceBody>;
export type MaintenanceBody = z.input<typeof newMaintenanceBody>;
export type MaintenanceChanges = z.input<typeof maintenanceChanges>;
