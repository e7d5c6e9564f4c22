import { z } from "zod";
import { EVENT_KINDS, EVENT_SEVERITIES, type EventKind, LANES } from "@/server/domain/events/event";
import { cursor, instant, moment, nameList, pageOf, text } from "./common";

const severity = z.enum(EVENT_SEVERITIES);
/** JSON in PostgreSQL takes no half of a character. */
const isWhole = (text: string) => !/\p{Cs}/u.test(text);
const HALVES = "must not hold half a character";

const body = z
  .string()
  .trim()
  .min(1)
  .max(2000)
  // PostgreSQL takes no NUL.
  .regex(/^[^\u0000]*$/, "must not hold NUL")
  .refine(isWhole, HALVES);

const eventView = z
  .object({
    id: z.string(),
    kind: z.enum(EVENT_KINDS),
    severity,
    lane: z.enum(LANES).nullable().describe("In the band of a day"),
    sentence: z.string(),
    site: z.string().nullable(),
    device: z.string().nullable(),
    from: instant,
    to: instant.nullable().describe("null: it goes on"),
    count: z.int().describe("Events that it stands for: devices of a site that went stale or fell silent together"),
    open: z.int().describe("Of these those that go on"),
    devices: z.array(z.string()).describe("Five of them at most, by name"),
    alert: z.string().nullable().describe("The alert that it is"),
    note: z.object({ id: z.string(), text: z.string(), by: z.string() }).nullable(),
  })
  .meta({ id: "Event" });

export const eventsAnswer = pageOf(eventView);

const kinds = text(128)
  .transform((names) => names.split(",").filter((name): name is EventKind => name !== ""))
  .pipe(z.array(z.enum(EVENT_KINDS)));

export const eventsQuery = z.object({
  from: moment.optional().describe("Those that weren't over by then; left out: seven days before `to`"),
  to: moment.optional().describe("Those that had begun by then; left out: now"),
  kinds: kinds.optional().describe("Of these kinds, joined by commas"),
  severity: severity.optional().describe("warning: critical ones, too"),
  site: text(128).optional(),
  devices: nameList(50).optional().describe("Of these devices, joined by commas"),
  text: text(200).optional().describe("Anywhere in what it is told by"),
  grouped: z
    .enum(["yes", "no"])
    .default("yes")
    .describe(
      "yes: devices of a site that were heard last within a minute of each other, and then went stale or fell silent, are one",
    ),
  cursor,
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

const where = {
  site: text(128).nullable().default(null),
  device: text(128).nullable().default(null),
};

export const newNote = z
  .object({
    text: body,
    from: moment.optional().describe("Left out: now"),
    to: moment.optional().describe("Left out: at `from`"),
    ...where,
  })
  .strict();

export const noteChanges = z.object({ text: body.optional(), from: moment.optional(), to: moment.optional() }).strict();

export const notePath = z.object({ id: z.string().regex(/^[1-9]\d{0,17}$/, "must be the id of a note") });

export const newDeployment = z
  .object({
    what: text(128).min(1).refine(isWhole, HALVES).describe("What was deployed: firmware, a gateway's program"),
    version: text(128).refine(isWhole, HALVES).nullable().default(null),
    at: moment.optional().describe("Left out: now"),
    ...where,
  })
  .strict();

export const writtenAnswer = z.object({ id: z.string() }).meta({ id: "WrittenEvent" });

export const lagQuery = z.object({
  from: moment.optional().describe("Left out: a day before `to`"),
  to: moment.optional().describe("Left out: now"),
});

export const lagAnswer = z
  .object({
    stepMs: z.int(),
    points: z.array(
      z.object({
        time: instant,
        seconds: z.number().describe("The longest that a message waited"),
        messages: z.number().describe("The most that waited"),
      }),
    ),
  })
  .meta({ id: "LagOverTime" });

export type EventView = z.infer<typeof eventView>;
export type EventsAnswer = z.infer<typeof eventsAnswer>;
export type LagAnswer = z.infer<typeof lagAnswer>;
