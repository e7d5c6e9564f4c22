/**
 * A mapping: data that turns foreign payloads into messages. Words: a **payload** is what a sender sends at once; a **decoder** makes a tree
 * of its bytes; a **part** is one of the things in it that has a device and a time; a **leaf** is a value of the tree that holds no others.
 *
 * Paths are dot-separated keys and indexes from the part's root (`uplink_message.decoded_payload`); a key that itself contains a dot or a backslash
 * is written with a backslash before it; "" is the root. Globs match whole names: `*` any run of characters, `?` one. Templates are text with
 * `{…}` in it: a path, or one of what came beside the payload: `{@key}` (see `each`), `{topic.1}` (levels from 0), `{topic}`, `{path.0}` (what
 * follows the source's name in the address), `{query.event}`, `{header.x-name}`, `{kafka.key}`, `{kafka.headers.x}`, `{part.x}` (what
 * the decoder knows of the part), `{envelope.…}` (a path from the root of what the decoder made, outside the element that `each` took).
 */
import { z } from "zod";

/** What makes a tree of bytes; the names of files in server/sources/decoders. */
export const DECODERS = [
  "json",
  "ndjson",
  "form",
  "text",
  "query",
  "binary",
  "influx",
  "otlp",
  "remote-write",
  "sparkplug",
  "senml",
  "ruuvi",
  "cloudevents",
] as const;
export type DecoderName = (typeof DECODERS)[number];

const path = z.string().max(256);
const glob = z.string().min(1).max(256);
const template = z.string().min(1).max(512);
const scalar = z.union([z.string().max(256), z.number(), z.boolean(), z.null()]);

/** How a time is written. `pattern` goes by {@link TimeCandidate.pattern}; `local` is RFC 3339 without a zone. */
export const TIME_FORMATS = ["rfc3339", "s", "ms", "us", "ns", "local", "pattern"] as const;

const timeCandidate = z.strictObject({
  /** Where the time is; a template for one that is put together of several fields. */
  from: z.union([z.strictObject({ path }), z.strictObject({ template })]),
  format: z.enum(TIME_FORMATS),
  /** Of yyyy MM dd HH mm ss S (fraction) and text between them. */
  pattern: z.string().max(64).optional(),
  /** IANA name; needed for local and for a pattern without a zone. */
  zone: z.string().max(64).optional(),
});

/** All of it holds for a part to be data; else it is ignored. */
const condition = z.union([
  z.strictObject({ topic: z.string().max(256).describe("MQTT filter with + and #") }),
  z.strictObject({ exists: path }),
  z.strictObject({ missing: path }),
  z.strictObject({ value: template, equals: z.array(scalar).min(1).max(64) }),
  z.strictObject({ value: template, differs: z.array(scalar).min(1).max(64) }),
]);

const readings = z.strictObject({
  /** The object (or, for `scalar`, the value) that holds them. */
  root: path,
  /** Levels of objects that are flattened. */
  depth: z.number().int().min(0).max(8).default(4),
  /** Between the keys of a flattened name. */
  separator: z.string().max(4).default("."),
  /** Elements by their index, left out (ignored), or as readings of earlier times (`history`). */
  arrays: z.enum(["index", "drop", "history"]).default("index"),
  /** For `history`: where an element keeps its own time, by one of the formats. */
  historyTime: z.strictObject({ path, format: z.enum(TIME_FORMATS), zone: z.string().max(64).optional() }).optional(),
  /** Flattened names that are taken; all, if left out. Everything else is ignored by this rule. */
  include: z.array(glob).max(256).optional(),
  exclude: z.array(glob).max(256).default([]),
  /** A prefix of the metric's name. A template; nothing if left out. */
  prefix: template.optional(),
  /** The metric's name where the root is a single value. A template. */
  name: template.optional(),
});

export const mappingSchema = z.strictObject({
  decode: z.enum(DECODERS),
  when: z.array(condition).max(32).default([]),
  /** A payload has one part, or one for each element of an array or each key of an object. */
  each: z
    .strictObject({ path, of: z.enum(["array", "object"]), optional: z.boolean().default(false) })
    .nullable()
    .default(null),
  /** The first template whose every value is there and not empty names the device. */
  device: z.array(template).min(1).max(8),
  /** The first candidate that is there is read; what is there but can't be read refuses the part. */
  time: z.array(timeCandidate).max(8).default([]),
  /** What is done where no candidate is there. */
  withoutTime: z.enum(["arrival", "refuse"]).default("arrival"),
  readings: z.array(readings).min(1).max(32),
  /** Flattened name → metric's name; applied before all rules below, which go by the metric's name. */
  rename: z
    .array(z.strictObject({ from: glob, to: template }))
    .max(256)
    .default([]),
  values: z
    .strictObject({
      /** "21.5" is 21.5. */
      numericStrings: z.boolean().default(true),
      /** Text → boolean, whatever its case; these metrics alone, or all ("*"). */
      booleans: z
        .array(z.strictObject({ metric: glob, true: z.array(z.string().max(64)), false: z.array(z.string().max(64)) }))
        .max(64)
        .default([]),
      /** Text → number. */
      enums: z
        .array(z.strictObject({ metric: glob, values: z.record(z.string().max(64), z.number()) }))
        .max(64)
        .default([]),
    })
    .default({ numericStrings: true, booleans: [], enums: [] }),
  /** Values that say "none right now": no reading, counted. Before units are converted. */
  absent: z
    .array(z.strictObject({ metric: glob, values: z.array(scalar).min(1).max(64) }))
    .max(256)
    .default([]),
  /** The unit a sender uses: words of one, or where the part says it. The first rule that fits a metric holds. */
  units: z
    .array(
      z.strictObject({
        metric: glob,
        from: z.union([z.strictObject({ unit: z.string().min(1).max(64) }), z.strictObject({ path })]),
      }),
    )
    .max(256)
    .default([]),
  /** Labels of the device; site and type are what they are in Fieldwatch's own shape. */
  labels: z.record(z.string().max(64), template).default({}),
});

export type Mapping = z.infer<typeof mappingSchema>;
/** As a person or a file writes it: what has a default may be left out. */
export type MappingInput = z.input<typeof mappingSchema>;
