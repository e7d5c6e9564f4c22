import { z } from "zod";
import { MOST_CHANGED } from "@/server/domain/device-lists";
import { DEVICE_LABELS, keyProblem } from "@/server/domain/device-labels";
import { LABEL_LENGTH, readLabel } from "@/server/domain/label";
import { currentValue, cursor, instant, moment, nameList, pageOf, text } from "./common";

/** live: heard from lately · stale: overdue · silent: long overdue, or it said goodbye · new: discovered, nothing committed yet. */
export const deviceState = z.enum(["live", "stale", "silent", "new"]).meta({ id: "DeviceState" });

/** One device with its latest known values. */
export const device = z
  .object({
    id: z.string().describe("The name the device reports under"),
    site: z.string().nullable(),
    type: z.string().nullable(),
    state: deviceState,
    staleSeconds: z
      .int()
      .min(1)
      .describe("Age at which it is stale, its type's or else that of any device; silent at ten times as much"),
    firstSeen: instant,
    lastSeen: instant.nullable().describe("Ingest time of the latest message"),
    lastEventTime: instant.nullable(),
    goneAt: instant
      .nullable()
      .describe("When a goodbye of it, or of the node it hangs on, was taken; null unless that is the last of it"),
    retiredAt: instant
      .nullable()
      .describe("When a person took it out of lists, counts and silence; null once it has sent again"),
    returnedAt: instant.nullable().describe("When it sent again after it had been retired; null until then"),
    messages: z.int().min(0),
    conflicts: z
      .int()
      .min(0)
      .describe("Readings refused because another value was stored at their metric and millisecond: the first stays"),
    units: z
      .record(z.string(), z.string())
      .describe("Units of its own, by metric; the others are those of GET /api/v1/metrics"),
    labels: z.record(z.string(), z.string()).describe("By key; from its messages, or set by a person"),
    values: z.record(z.string(), currentValue),
  })
  .meta({ id: "Device" });

/** One device alone: what people wrote about it, too. */
export const deviceDetail = device
  .extend({
    notes: z.string().nullable(),
    setByPerson: z
      .array(z.enum(["site", "type"]))
      .describe("What a person has set, be it to nothing: messages don't fill it in any more"),
    labelsByPerson: z
      .array(z.string())
      .describe("Keys of the labels that a person has set: what messages say doesn't count"),
    lastConflict: z
      .object({ metric: z.string(), time: instant, kept: z.number(), refused: z.number() })
      .nullable()
      .describe("The last reading that was refused because another value was stored there; booleans are 0 and 1"),
    rounded: z
      .record(z.string(), instant)
      .describe(
        "Metrics with numbers of more digits than a double holds, of which the nearest is stored; event time of the latest",
      ),
    clockFault: z
      .object({ from: instant, to: instant, readings: z.int().min(1) })
      .nullable()
      .describe(
        "Readings more than five years before all others: the device's clock was not set. [from, to) holds them",
      ),
    quality: z
      .number()
      .nullable()
      .describe("0 to 100, of the latest day that is scored: that of its worst series; null: too little is known"),
    updatedAt: instant.describe("When site, type, notes or a label of a person last changed; for If-Match"),
  })
  .meta({ id: "DeviceDetail" });

/** Longest notes, in UTF-16 units. */
const NOTES_LENGTH = 4000;

/** A site or a type, as it is kept; white space alone is null. */
export const label = z
  .string()
  .transform((text, context) => {
    const read = readLabel(text);
    if ("label" in read) return read.label;
    context.addIssue({ code: "custom", message: read.problem });
    return z.NEVER;
  })
  .nullable()
  .describe(`Free text on one line, at most ${LABEL_LENGTH} characters; null is nothing`);

/** Labels by key, as a person sets them. */
const labelChanges = z
  .record(z.string(), label)
  .superRefine((labels, context) => {
    for (const key of Object.keys(labels)) {
      const message = keyProblem(key);
      if (message !== null) context.addIssue({ code: "custom", path: [key], message: `the key ${message}` });
    }
  })
  .describe(
    `By key; what is left out stays, null takes a person's word back. A device has ${DEVICE_LABELS.most} labels at most`,
  );

/** Changes of a device; an absent one stays as it is. */
export const deviceChanges = z.strictObject({
  site: label.optional(),
  type: label.optional(),
  notes: z
    .string()
    .max(NOTES_LENGTH, `may be ${NOTES_LENGTH} characters long at most`)
    .refine((notes) => !notes.includes("\0"), "must not hold NUL characters")
    .nullable()
    .optional(),
  labels: labelChanges.optional(),
  retired: z
    .boolean()
    .optional()
    .describe(
      "Out of lists, counts and alerts of silence, with all it has; false undoes it. One that sends again is back by itself",
    ),
});

/** Body of POST /api/v1/device-changes: the same changes for several devices. */
export const deviceChangesOfMany = z.strictObject({
  devices: z.array(text(128).min(1)).min(1).max(MOST_CHANGED),
  changes: deviceChanges
    .omit({ notes: true })
    .refine((changes) => Object.values(changes).some((change) => change !== undefined), {
      message: "must change one of site, type, labels and retired",
    }),
});

export const deviceChangesAnswer = z
  .object({
    items: z
      .array(
        z.object({
          id: z.string(),
          outcome: z
            .enum(["changed", "missing", "elsewhere", "full"])
            .describe(
              "missing: there is none of this name · elsewhere: it takes the permission at the site it would be at · full: it would have too many labels",
            ),
        }),
      )
      .describe("In the order asked for"),
  })
  .meta({ id: "DeviceChangesOutcome" });

export const devicesAnswer = pageOf(device)
  .extend({
    total: z.int().min(0).describe("Devices that match, on all pages"),
    sites: z.array(z.string()).describe("All sites there are"),
  })
  .meta({ id: "Devices" });

export const readingsQuery = z.object({
  metric: text(128).min(1),
  from: moment.optional().describe("First moment; default one hour before `to`"),
  to: moment.optional().describe("End, exclusive; default now"),
  resolution: z.enum(["auto", "raw", "minute", "hour"]).default("auto"),
  maxPoints: z.coerce
    .number()
    .int()
    .min(10)
    .max(10_000)
    .default(300)
    .describe("At most this many points; extremes are kept"),
});

const before = z
  .object({ time: z.number().describe("Epoch milliseconds"), value: z.number().describe("Booleans are 0 and 1") })
  .nullable()
  .describe(
    "The last reading before `from`, which a metric that is sent when it changes has until its next one; null where none is known of the 31 days " +
      "before. Cold storage isn't asked",
  );

/** Points in event-time order. Raw points have min = max = mean = value and count 1. */
export const readingsAnswer = z
  .object({
    device: z.string(),
    metric: z.string(),
    unit: z.string().nullable().describe("The device's own, or the metric's"),
    kind: z.enum(["number", "boolean"]),
    from: instant,
    to: instant,
    resolution: z.enum(["raw", "minute", "hour"]).describe("What the points were made from"),
    bucketMs: z.int().min(0).describe("Width of one point in ms; 0 for raw readings"),
    latest: z.number().nullable().describe("Event time of the newest reading counted, epoch milliseconds"),
    before,
    lastSeen: instant.nullable().describe("Ingest time of the device's newest message that is counted"),
    cold: z
      .enum(["none", "read", "away"])
      .describe(
        "Whether readings of cold storage are counted; away: it can't be reached, and hour rollups took their place",
      ),
    points: z.array(
      z.object({
        time: z.number().describe("Epoch milliseconds of the start of the bucket, or of the reading"),
        count: z.int(),
        mean: z.number(),
        min: z.number(),
        max: z.number(),
        last: z.number(),
      }),
    ),
  })
  .meta({ id: "Readings" });

export const stripsQuery = readingsQuery.omit({ metric: true, resolution: true }).extend({
  maxPoints: z.coerce.number().int().min(10).max(500).default(120).describe("At most this many points of each metric"),
});

/** Every metric of a device over one stretch, in buckets of one width, and its texts. */
export const stripsAnswer = z
  .object({
    device: z.string(),
    from: instant.describe("Buckets are whole: those at the ends may reach beyond what was asked for"),
    to: instant,
    bucketMs: z.int().min(1),
    lastSeen: instant.nullable().describe("Ingest time of the device's newest message that is counted"),
    strips: z.array(
      z.object({
        metric: z.string(),
        unit: z.string().nullable(),
        kind: z.enum(["number", "boolean"]),
        latest: z.number().nullable().describe("Event time of the newest reading counted, epoch milliseconds"),
        before,
        points: z
          .array(z.tuple([z.number(), z.int(), z.number(), z.number(), z.number(), z.number()]))
          .describe("Start (epoch milliseconds), count, mean, min, max and last of each bucket with readings"),
      }),
    ),
    texts: z.array(
      z.object({
        field: z.string(),
        runs: z
          .array(z.tuple([z.number(), z.number(), z.string().nullable()]))
          .describe(
            "Event times (epoch milliseconds) of the first and last message of each run, and what they said; null where that changed too often to be kept. " +
              "In order of time, whole: the first may have begun, and ended, before the stretch",
          ),
        more: z.boolean().describe("True if only the newest 500 are told: there are more before the first"),
      }),
    ),
  })
  .meta({ id: "Strips" });

/** A download: the readings themselves (raw), every rollup (minute, hour), or the points a chart shows (auto). */
export const downloadQuery = readingsQuery.omit({ metric: true, resolution: true }).extend({
  metric: text(2000)
    .transform((text) => [...new Set(text.split(",").filter(Boolean))])
    .pipe(z.array(z.string().max(128)).min(1).max(16))
    .describe("Metrics, parted by commas, at most 16"),
  resolution: z.enum(["auto", "raw", "minute", "hour"]).default("raw"),
});

/** A download of what a device said in words. */
export const textsQuery = z.object({
  field: nameList(64).optional().describe("Only these, joined by commas, at most 64"),
  from: moment.optional().describe("Only what was still said then, or later"),
  to: moment.optional().describe("Only what was said before"),
});

export const messagesQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor,
});

export const messagesAnswer = pageOf(
  z.object({
    log: z.string(),
    partition: z.int(),
    offset: z.int(),
    eventTime: instant,
    ingestTime: instant,
    processedTime: instant,
    body: z.string().describe("The JSON text exactly as received"),
  }),
).meta({ id: "Messages" });

export type DeviceState = z.infer<typeof deviceState>;
export type DeviceView = z.infer<typeof device>;
export type DeviceDetail = z.infer<typeof deviceDetail>;
export type DeviceChanges = z.infer<typeof deviceChanges>;
export type DevicesAnswer = z.infer<typeof devicesAnswer>;
export type ReadingsAnswer = z.infer<typeof readingsAnswer>;
export type StripsAnswer = z.infer<typeof stripsAnswer>;
export type MessagesAnswer = z.infer<typeof messagesAnswer>;
export type DeviceChangesOfMany = z.input<typeof deviceChangesOfMany>;
export type DeviceChangesOutcome = z.infer<typeof deviceChangesAnswer>;
