import { z } from "zod";
import { keyProblem } from "@/server/domain/device-labels";
import { LABEL_LENGTH, readLabel } from "@/server/domain/label";
import { mappingSchema } from "@/server/domain/mapping/mapping";
import { ANSWER_POLICIES, SOURCE_KINDS, SOURCE_NAME, type SourceDoor } from "@/server/domain/source";
import { isTopicFilter } from "@/server/domain/topics";
import { keyView } from "./access";
import { instant, text } from "./common";
import { label } from "./devices";

export const sourceName = z.string().regex(SOURCE_NAME, "must be 1–63 of a–z, 0–9 and -, and not begin with -");

const topics = z.array(text(256).min(1)).max(64);
const filters = z
  .array(text(256).refine(isTopicFilter, "must be a filter of topics: + and # stand for whole levels, and # only last"))
  .max(64);
/** Where a source's messages come in; what a person may say is what a door reads. */
const door: z.ZodType<SourceDoor> = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("http") }),
  z.strictObject({ type: z.literal("mqtt"), topics: filters.describe("Filters with + and #; none: any topic") }),
  z.strictObject({
    type: z.literal("mqtt-bridge"),
    url: text(512).regex(/^mqtts?:\/\/[^\s/@]+$/, "must be mqtt://host:port or mqtts://host:port"),
    clientId: text(128).min(1),
    username: text(256).min(1).nullable().default(null),
    ca: z.string().max(16_384).nullable().default(null).describe("PEM of the authority to trust besides the system's"),
    topics: filters.min(1),
    qos: z.literal([0, 1]).default(1),
  }),
  z.strictObject({
    type: z.literal("kafka"),
    brokers: z.array(text(256).min(1)).max(32).describe("host:port, each; none: the cluster in use here"),
    ssl: z.boolean().default(false),
    sasl: z
      .strictObject({
        mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]),
        username: text(256).min(1),
      })
      .nullable()
      .default(null),
    group: text(128).min(1),
    topics: topics.min(1),
    from: z.enum(["earliest", "latest"]).default("earliest"),
  }),
]);

const labels = z
  .record(
    z.string().refine((key) => keyProblem(key) === null, "can't be the key of a label"),
    z
      .string()
      .refine((text) => !("problem" in readLabel(text)), `must be at most ${LABEL_LENGTH} characters on one line`),
  )
  .refine((all) => Object.keys(all).length <= 32, "must be 32 at most")
  .describe("For all of its devices; what the mapping or a person says of one wins");
const rate = z.int().min(1).max(10_000_000).nullable();

const sourceCounts = z
  .object({
    received: z.int().describe("Deliveries: requests, MQTT messages or records that came"),
    bytes: z.int(),
    accepted: z.int().describe("Messages that the event log holds"),
    ignored: z.int().describe("Deliveries of which the mapping says that nothing is data"),
    ignoredBy: z
      .record(z.string(), z.int())
      .describe(
        "What was left out, by the rule that says so: deliveries by `topic`, whole parts of them by `when` and `noValues`, values by all others",
      ),
    kept: z.int().describe("Deliveries that were kept whole, as something of them was refused"),
    refused: z.record(z.string(), z.int()).describe("What could not be read or may not be sent, by reason"),
    firstSeen: instant.nullable(),
    lastSeen: instant.nullable(),
    lastError: z
      .object({
        ...{ at: instant, reason: z.string(), path: z.string(), detail: z.string() },
        sample: z.int().nullable().describe("Id of its payload; null if none is kept"),
      })
      .nullable(),
    messages: z.int().describe("Messages that the worker handled; this and what follows is exact"),
    readings: z.int().describe("New readings of them"),
    duplicates: z.int(),
    conflicts: z.int(),
    deadLetters: z.int().describe("Dead letters that were made of them, resolved ones included"),
    skew: z
      .object({ p50Ms: z.number(), p99Ms: z.number() })
      .nullable()
      .describe("How far event times are behind the log's; below 0: ahead. Null before the first message"),
    clients: z.int().nullable().describe("Connected now; null for doors without connections"),
    longestPauseMs: z.number().nullable().describe("Between its last deliveries; null where those are too few"),
  })
  .meta({ id: "SourceCounts" });

export const source = z
  .object({
    name: z.string(),
    title: z.string().nullable(),
    kind: z.enum(SOURCE_KINDS),
    answer: z.enum(ANSWER_POLICIES),
    site: z.string().nullable().describe("Whose devices it sends for; null: any"),
    labels,
    messagesPerSecond: rate,
    bytesPerSecond: rate,
    enabled: z.boolean(),
    door,
    hasSecret: z.boolean().describe("Whether its door has a password to sign in elsewhere"),
    mappingVersion: z.int(),
    revision: z.int().describe("Give it back with a change: it is refused when somebody else's came between"),
    createdAt: instant,
    updatedAt: instant,
    isBuiltIn: z.boolean().describe("The source of POST /api/v1/telemetry, which can't be changed or removed"),
    counts: sourceCounts,
  })
  .meta({ id: "Source" });

export const sourcesAnswer = z
  .object({
    items: z.array(source).describe("By name"),
    troubles: z.record(z.string(), z.string()).describe("Why nothing comes in by a source's own door, by its name"),
  })
  .meta({ id: "Sources" });

const sourceMapping = z
  .object({
    version: z.int(),
    mapping: mappingSchema,
    note: z.string().nullable(),
    madeBy: z.string(),
    createdAt: instant,
  })
  .meta({ id: "SourceMapping" });

export const sourceHandshake = z
  .object({
    id: z.int(),
    at: instant,
    sender: z.enum(["aws-iot", "aws-sns"]),
    url: z.string().describe("What is fetched to confirm it"),
    confirmedAt: instant.nullable(),
  })
  .meta({ id: "SourceHandshake" });

export const sourceDetail = z
  .object({
    source,
    mapping: sourceMapping.describe("The current version"),
    openDeadLetters: z.int().describe("That a resend may mend, counted to 1000"),
    doors: z
      .array(
        z.object({
          what: z.string().describe("Which door, in words"),
          trouble: z.string().nullable().describe("Why nothing comes in by it; null when all is well"),
          fix: z.string().nullable().describe("What to do about that; null when it mends by itself"),
          lag: z.number().nullable().describe("Messages that wait to be read there, where that is known"),
        }),
      )
      .describe("What processes that hold its door told lately, one each; none for a source that comes by HTTP"),
    handshakes: z
      .array(sourceHandshake)
      .describe("Asked for by its sender, the newest first; none for who may not edit it"),
  })
  .meta({ id: "SourceDetail" });

const wanted = {
  title: text(128).min(1).nullable(),
  answer: z.enum(ANSWER_POLICIES),
  site: label,
  labels,
  messagesPerSecond: rate,
  bytesPerSecond: rate,
  enabled: z.boolean(),
  door,
  secret: z.string().max(1024).nullable().describe("What its door signs in with elsewhere; never shown again"),
};
export const newSourceBody = z.strictObject({
  name: sourceName,
  kind: z.enum(SOURCE_KINDS),
  mapping: mappingSchema.optional().describe("Left out: that of the kind's template"),
  title: wanted.title.default(null),
  answer: wanted.answer.optional().describe("Left out: that of the kind's template"),
  site: wanted.site.default(null),
  labels: wanted.labels.default({}),
  messagesPerSecond: wanted.messagesPerSecond.default(null),
  bytesPerSecond: wanted.bytesPerSecond.default(null),
  enabled: wanted.enabled.default(true),
  door: wanted.door.default({ type: "http" }),
  secret: wanted.secret.default(null),
});
export const sourceChanges = z.strictObject({ revision: z.int().min(0), ...z.object(wanted).partial().shape });
export const deletedSource = z.object({ name: z.string() });

export const newMappingBody = z.strictObject({
  mapping: mappingSchema,
  note: text(500).nullable().default(null),
  base: z.int().min(0).describe("The version that was changed: it is refused when another one came between"),
});
export const sourceMappingsAnswer = z
  .object({ items: z.array(sourceMapping).describe("Newest first, at most 100") })
  .meta({ id: "SourceMappings" });
export { sourceMapping };

/** What came beside a payload, as far as a person says it; the rest is nothing. */
const payload = z.strictObject({
  body: z.string().max(262_144).describe("UTF-8 text, or base64"),
  encoding: z.enum(["utf-8", "base64"]).default("utf-8"),
  contentType: text(256).nullable().default(null),
  topic: text(1024).nullable().default(null),
  retained: z.boolean().default(false),
  path: z.array(text(256)).max(16).default([]),
  query: z.record(text(128), text(1024)).default({}),
  headers: z.record(text(128), text(1024)).default({}),
  kafka: z
    .strictObject({
      topic: text(256),
      key: text(1024).nullable(),
      headers: z.record(text(128), text(1024)).default({}),
      timestamp: z.number(),
    })
    .nullable()
    .default(null),
});

const refusal = z.object({ path: z.string(), reason: z.string(), detail: z.string() });

/** What a mapping makes of a payload, by the pipeline's own function. */
const explained = z
  .object({
    messages: z.array(
      z.object({
        device: z.string(),
        time: instant,
        timeFrom: z.enum(["payload", "arrival"]),
        readings: z.array(
          z.object({
            metric: z.string(),
            value: z.union([z.number(), z.boolean(), z.string()]),
            unit: z.string().nullable(),
            path: z.string(),
          }),
        ),
      }),
    ),
    leaves: z
      .array(
        z.object({
          path: z.string(),
          as: z.enum(["reading", "device", "time", "unit", "label", "ignored", "refused"]),
          why: z.string().describe("The metric, the rule that ignores it, or why it is refused"),
        }),
      )
      .describe("Each leaf of the payload, once"),
    refused: z.array(refusal).describe("Those of leaves, and of what is no leaf, such as a missing device"),
  })
  .meta({ id: "Explained" });

const sample = z
  .object({
    id: z.int(),
    at: instant,
    payload,
    bytes: z.int().describe("Of the whole body; what is kept of it may be less"),
    isCut: z.boolean(),
    outcome: z.object({
      accepted: z.int(),
      ignored: z.boolean(),
      refused: z.array(refusal).describe("The first of them"),
      version: z.int().describe("Of the mapping"),
    }),
  })
  .meta({ id: "SourceSample" });
export const sourceSamplesAnswer = z
  .object({
    items: z.array(sample).describe("Newest first: the last 20, and the last 5 of which something was refused"),
  })
  .meta({ id: "SourceSamples" });

/** Body of POST /api/v1/source-preview: payloads given here, or the samples of a source. */
export const previewBody = z
  .strictObject({
    mapping: mappingSchema,
    payloads: z.array(payload).min(1).max(20).optional(),
    source: sourceName.optional().describe("Takes its last samples; and tells what its current mapping makes of them"),
  })
  .refine(({ payloads, source }) => payloads !== undefined || source !== undefined, {
    path: ["payloads"],
    message: "or source: one of both",
  });
export const previewAnswer = z
  .object({
    items: z.array(
      z.object({
        sample: z.int().nullable().describe("Id of the sample; null for a payload of the request"),
        after: explained,
        before: explained.nullable().describe("By the source's current mapping; null without a source"),
      }),
    ),
  })
  .meta({ id: "MappingPreview" });

export const guessBody = z.strictObject({ payload });
export const guessAnswer = z
  .object({
    items: z
      .array(z.object({ kind: z.enum(SOURCE_KINDS), why: z.string(), mapping: mappingSchema }))
      .describe("Templates that the payload looks like, the likeliest first"),
  })
  .meta({ id: "GuessedTemplates" });

export const templatesAnswer = z
  .object({
    items: z.array(
      z.object({
        kind: z.enum(SOURCE_KINDS),
        title: z.string(),
        doors: z.array(z.enum(["http", "influx", "otlp", "mqtt", "mqtt-bridge", "kafka"])),
        answer: z.enum(ANSWER_POLICIES),
        mapping: mappingSchema,
        sample: payload.describe("What such a sender sends"),
      }),
    ),
    mqtt: z
      .object({ port: z.int(), isSecure: z.boolean().describe("Over TLS") })
      .describe("The MQTT listener, at the host of this server; it is there as soon as a source comes by it"),
  })
  .meta({ id: "SourceTemplates" });

/** Answer to a delivery at a source's door. */
export const deliveryAnswer = z
  .object({
    accepted: z.int().describe("Messages that the event log holds"),
    ignored: z.boolean().describe("The mapping says that nothing of it is data"),
    refused: z.array(refusal).describe("The first of what could not be read or may not be sent"),
    refusals: z.int().describe("How much that is in all"),
    kept: z.boolean().describe("The delivery is kept whole, as a dead letter"),
    validationResponse: z.string().optional().describe("What Azure Event Grid asked for"),
  })
  .meta({ id: "Delivered" });

export const sourceKeysAnswer = z
  .object({ items: z.array(keyView).describe("Newest first; at most two of them work") })
  .meta({ id: "SourceKeys" });
export const newSourceKeyBody = z.strictObject({
  days: z.int().min(1).max(3650).nullable().default(null).describe("Until it expires; null: never"),
});

export type SourceView = z.infer<typeof source>;
export type SourceCounts = z.infer<typeof sourceCounts>;
export type SourcesAnswer = z.infer<typeof sourcesAnswer>;
export type SourceDetail = z.infer<typeof sourceDetail>;
export type SourceMappingView = z.infer<typeof sourceMapping>;
export type SourceSample = z.infer<typeof sample>;
export type SourceHandshake = z.infer<typeof sourceHandshake>;
export type SourcePayload = z.infer<typeof payload>;
export type Explained = z.infer<typeof explained>;
export type MappingPreview = z.infer<typeof previewAnswer>;
export type GuessedTemplates = z.infer<typeof guessAnswer>;
export type SourceTemplatesAnswer = z.infer<typeof templatesAnswer>;
export type NewSourceBody = z.input<typeof newSourceBody>;
export type SourceChanges = z.input<typeof sourceChanges>;
export type NewMappingBody = z.input<typeof newMappingBody>;
export type PreviewBody = z.input<typeof previewBody>;
