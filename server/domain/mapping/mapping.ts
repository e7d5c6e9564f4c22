/**
 * A mapping: data that turns foreign payloads into messages. Words: a **payload** is what a sender sends at once; a **decoder** makes a tree
 * of its bytes; a **part** is one of the things in it that has a device and a time; a **leaf** is a value of the tree that holds no others.
 *
 * Paths are dot-separated keys and indexes from the part's root (`uplink_message.decoded_payload`); a key that itself contains a dot or a backslash
 * is written with a backslash before it, an empty key as `\e`; "" is the root. Globs match whole names: `*` any run of characters, `?` one. Templates are text with
 * `{…}` in it: a path, or one of what came beside the payload: `{@key}` (see `each`), `{topic.1}` (levels from 0; from the last: `{topic.-1}`; with all after it: `{topic.1+}`; from one to another: `{topic.1:-2}`), `{topic}`, `{path.0}` (what
 * follows the source's name in the address), `{query.event}`, `{header.x-name}`, `{kafka.key}`, `{kafka.headers.x}`, `{part.x}` (what
 * the decoder knows of the part), `{envelope.…}` (a path from the root of what the decoder made, outside the element that `each` took), `{}` (the part itself, if it is a single value).
 */
import { z } from "zod";
import { csvSettings } from "./csv";
import { hasEmptyPart } from "./paths";
import { compilePattern } from "./patterns";
import { problemOf } from "./templates";
import { isZone } from "./zones";

/** What makes a tree of bytes; the names of files in server/sources/decoders. */
export const DECODERS = [
  "fieldwatch",
  "any",
  "json",
  "ndjson",
  "form",
  "text",
  "query",
  "binary",
  "csv",
  "influx",
  "otlp",
  "remote-write",
  "sparkplug",
  "senml",
  "ruuvi",
  "cloudevents",
  "event-grid",
  "telegraf",
] as const;
export type DecoderName = (typeof DECODERS)[number];

/** Reads messages in Fieldwatch's own shape as the telemetry route does: they go on as they are, and no rule of the mapping applies. */
export const OWN_SHAPE = "fieldwatch" satisfies DecoderName;
/** Most rules about names, each: as many as a table has columns. */
const MOST_RULES = 1000;

const path = z
  .string()
  .max(256)
  .refine(
    (text) => !hasEmptyPart(text),
    String.raw`has a dot without a key before or behind it; an empty key is written \e`,
  );
const glob = z.string().min(1).max(256);
const template = z
  .string()
  .min(1)
  .max(512)
  .superRefine((text, ctx) => {
    const problem = problemOf(text);
    if (problem !== null) ctx.addIssue(problem);
  });
const scalar = z.union([z.string().max(256), z.number(), z.boolean(), z.null()]);

const zone = z
  .string()
  .max(64)
  .refine(isZone, "must be the IANA name of a time zone, such as Europe/Berlin, or one such as +02:00");

/**
 * How a time is written. Epochs are numbers, or texts of their digits. `pattern` goes by {@link TimeCandidate.pattern}; `local` is RFC 3339 without a
 * zone; `any` is RFC 3339 with one (without, if `zone` is given), or an epoch whose size tells its unit.
 */
export const TIME_FORMATS = ["rfc3339", "any", "s", "ms", "us", "ns", "local", "pattern"] as const;

const timeFormat = {
  format: z.enum(TIME_FORMATS),
  /** Of yyyy yy MM M MMM dd d HH H hh h a mm m ss s S (fraction) Z (zone), and text between them. */
  pattern: z.string().max(64).optional(),
  /** IANA name; needed for local and for a pattern without a zone. */
  zone: zone.optional(),
};

/** Says what a format needs and doesn't have. */
function checkFormat(
  { format, pattern, zone }: { format: string; pattern?: string | undefined; zone?: string | undefined },
  ctx: z.RefinementCtx,
): void {
  const compiled = pattern === undefined ? null : compilePattern(pattern);
  if (format === "pattern" && compiled === null)
    ctx.addIssue({
      code: "custom",
      path: ["pattern"],
      message: "must tell a year, a month and a day: yyyy-MM-dd HH:mm:ss",
    });
  const needsZone = format === "local" || (format === "pattern" && compiled?.hasZone === false);
  if (needsZone && zone === undefined)
    ctx.addIssue({ code: "custom", path: ["zone"], message: "must be given, as the time has none: Europe/Berlin" });
}

const timeCandidate = z
  .strictObject({
    /** Where the time is; a template for one that is put together of several fields. */
    from: z.union([z.strictObject({ path }), z.strictObject({ template })]),
    ...timeFormat,
  })
  .superRefine(checkFormat);

const simpleCondition = z.union([
  z.strictObject({ topic: z.string().max(256).describe("MQTT filter with + and #") }),
  z.strictObject({ exists: path }),
  z.strictObject({ missing: path }),
  z.strictObject({ value: template, equals: z.array(scalar).min(1).max(64) }),
  z.strictObject({ value: template, differs: z.array(scalar).min(1).max(64) }),
]);
const condition = z.union([simpleCondition, z.strictObject({ anyOf: z.array(simpleCondition).min(1).max(32) })]);

const readings = z
  .strictObject({
    /** The object (or, for `scalar`, the value) that holds them. */
    root: path,
    /** The rule is there only for a part of which all of it holds. */
    when: z.array(condition).max(32).optional(),
    /** Levels of objects that are flattened. */
    depth: z.number().int().min(0).max(8).default(4),
    /** Between the keys of a flattened name. */
    separator: z.string().max(4).default("."),
    /** Elements by their index, left out (ignored), or as readings of earlier times (`history`). */
    arrays: z.enum(["index", "drop", "history"]).default("index"),
    /** For `history`: where an element keeps its own time, by one of the formats. */
    historyTime: z
      .strictObject({ path, ...timeFormat })
      .superRefine(checkFormat)
      .optional(),
    /** Flattened names that are taken; all, if left out. Everything else is ignored by this rule. */
    include: z.array(glob).max(MOST_RULES).optional(),
    exclude: z.array(glob).max(MOST_RULES).default([]),
    /** A prefix of the metric's name. A template; nothing if left out. */
    prefix: template.optional(),
    /** The metric's name where the root is a single value. A template. */
    name: template.optional(),
  })
  .refine(({ arrays, historyTime }) => arrays !== "history" || historyTime !== undefined, {
    path: ["historyTime"],
    message: "must be given, for lists to be read as history",
  });

const mappingObject = z.strictObject({
  decode: z.enum(DECODERS),
  /** How text is cut into rows and fields, for `decode: "csv"`. */
  csv: csvSettings.optional(),
  /** All of it holds for a part to be data; else it is ignored. */
  when: z.array(condition).max(32).default([]),
  /** All of it holds for a part that is the device's goodbye, or its gateway's for it: no readings are read, and the device is silent until it is heard again. Null: none is. */
  gone: z.array(condition).min(1).max(32).nullable().default(null),
  /** A payload has one part, or one for each element of an array or each key of an object. */
  each: z
    .strictObject({ path, of: z.enum(["array", "object"]), optional: z.boolean().default(false) })
    .nullable()
    .default(null),
  /**
   * The first template whose every value is there and not empty names the device; one with conditions only where all of them hold. `none` refuses a part of
   * which they hold: it says how its sender can be made to name itself.
   */
  device: z
    .array(
      z.union([
        template,
        z.strictObject({ name: template, when: z.array(condition).min(1).max(32) }),
        z.strictObject({ none: z.string().min(1).max(256), when: z.array(condition).min(1).max(32) }),
      ]),
    )
    .min(1)
    .max(8),
  /** The first candidate that is there is read; what is there but can't be read refuses the part. */
  time: z.array(timeCandidate).max(8).default([]),
  /** What is done where no candidate is there. */
  withoutTime: z.enum(["arrival", "refuse"]).default("arrival"),
  readings: z.array(readings).min(1).max(32),
  /**
   * How devices and metrics are called whose names can't stand as they are: shorter, or so that no two of them become one; see names.ts. `headings` are
   * metrics as people write over columns: a known unit in brackets is the unit (`T (degC)`), and of the rest a run of other characters is one `_`.
   */
  names: z.enum(["short", "distinct", "headings"]).default("short"),
  /**
   * Where a decoder names metrics by tags: whether each tag that doesn't name the device is part of the name. False, as in sources made before this was known, leaves those out that could
   * have named a device (`host` beside `device`, `job` beside `instance`), by which two series may become one.
   */
  allTags: z.boolean().default(false),
  /** Flattened name → metric's name, in which {*} is what the first star stood for, {*2} the second. All rules below go by the metric's name. */
  rename: z
    .array(z.strictObject({ from: glob, to: z.string().min(1).max(256) }))
    .max(MOST_RULES)
    .default([]),
  values: z
    .strictObject({
      /** "21.5" is 21.5, and "1,234.5" is 1234.5. */
      numericStrings: z.boolean().default(true),
      /** "21,5" is 21.5, and "1.234,5" is 1234.5; then "21.5" is none. */
      decimalComma: z.boolean().default(false),
      /** Thousands are apart without a fraction, too: "1,234" is 1234 (with `decimalComma` "1.234" is). */
      thousands: z.boolean().default(false),
      /** "21.3 °C" is 21.3 in °C, whatever the unit of its metric, for units that are known. */
      unitsBehind: z.boolean().default(false),
      /** Metrics that are text whatever they look like: serial numbers, codes. */
      texts: z.array(glob).max(MOST_RULES).default([]),
      /** Text → boolean, whatever its case; these metrics alone, or all ("*"). */
      booleans: z
        .array(z.strictObject({ metric: glob, true: z.array(z.string().max(64)), false: z.array(z.string().max(64)) }))
        .max(MOST_RULES)
        .default([]),
      /** Text → number. */
      enums: z
        .array(z.strictObject({ metric: glob, values: z.record(z.string().max(64), z.number()) }))
        .max(64)
        .default([]),
    })
    .default({
      ...{ numericStrings: true, decimalComma: false, thousands: false, unitsBehind: false },
      ...{ texts: [], booleans: [], enums: [] },
    }),
  /** Values that say "none right now", texts whatever their case: no reading, counted. Before units are converted. */
  absent: z
    .array(z.strictObject({ metric: glob, values: z.array(scalar).min(1).max(64) }))
    .max(MOST_RULES)
    .default([]),
  /** The unit a sender uses: words of one, or where the part says it. The first rule that fits a metric holds. */
  units: z
    .array(
      z.strictObject({
        metric: glob,
        /** The rule holds only for a part that has something there. */
        where: path.optional(),
        from: z.union([z.strictObject({ unit: z.string().min(1).max(64) }), z.strictObject({ path })]),
      }),
    )
    .max(256)
    .default([]),
  /** Values become those of their dimension's canonical unit. Without, they stay as sent, in the unit that was said: the pipeline converts them to their metric's. */
  convertUnits: z.boolean().default(true),
  /** Labels of the device; site and type are what they are in Fieldwatch's own shape. What isn't there is left out. */
  labels: z
    .record(z.string().min(1).max(64), template)
    .refine((labels) => Object.keys(labels).length <= 32, "must be 32 at most")
    .default({}),
});

/** The mapping that decodes {@link OWN_SHAPE}; there is no other. */
export const OWN_MAPPING = {
  decode: OWN_SHAPE,
  device: ["{device}"],
  time: [{ from: { path: "time" }, format: "any" }],
  withoutTime: "refuse",
  readings: [{ root: "readings", depth: 0 }],
} satisfies z.input<typeof mappingObject>;

const OWN_MEMBERS = Object.entries(mappingObject.parse(OWN_MAPPING));

export const mappingSchema = mappingObject.superRefine((mapping, ctx) => {
  if (mapping.decode !== OWN_SHAPE) return;
  const changed = OWN_MEMBERS.find(
    ([member, value]) => JSON.stringify(mapping[member as keyof Mapping]) !== JSON.stringify(value),
  );
  if (changed !== undefined)
    ctx.addIssue({
      code: "custom",
      path: [changed[0]],
      message: `must be ${JSON.stringify(changed[1])}, as "decode": "fieldwatch" takes messages as they are; for rules of your own, "decode": "any" reads them too`,
    });
});

export type Mapping = z.infer<typeof mappingObject>;
/** As a person or a file writes it: what has a default may be left out. */
export type MappingInput = z.input<typeof mappingSchema>;
