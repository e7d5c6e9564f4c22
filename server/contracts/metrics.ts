import { z } from "zod";
import { readLabel, UNIT_LENGTH } from "@/server/domain/label";
import { SELECTORS } from "@/server/domain/series-rules";
import { isName } from "@/server/domain/terms";
import { instant, text } from "./common";

/** Most devices whose unit can be set at once. */
export const MOST_UNIT_DEVICES = 400;

/** Longest description of a metric, in characters. */
export const DESCRIPTION_LENGTH = 500;

/** Longest owner of a metric, in characters. */
export const OWNER_LENGTH = 128;

/** Places in the palette of charts, each a color for either theme. */
export const METRIC_COLORS = 6;

const band = z.object({
  below: z.number().nullable().describe("It begins below this value; null: at none"),
  above: z.number().nullable().describe("It begins above this value; null: at none"),
});

const thresholds = z
  .object({ warning: band, critical: band })
  .describe("Bands that charts draw. They tell nobody: alert rules do");

const name = text(128).refine(isName, "must be letters, digits and _ . : - alone, 1 to 128 of them");

/** A named quantity, and what people said it means. */
const metric = z
  .object({
    name: z.string(),
    kind: z
      .enum(["number", "boolean"])
      .describe("boolean while only booleans have come, number from the first number on"),
    unit: z.string().nullable().describe("Of all devices that have none of their own; null is none, or not known"),
    min: z.number().nullable().describe("Lower end of the valid range"),
    max: z.number().nullable(),
    meaning: z
      .enum(["none", "guessed", "set"])
      .describe(
        "Where unit and range are from: nobody has said; an earlier version guessed by the name; somebody said so",
      ),
    description: z.string().nullable(),
    owner: z.string().nullable().describe("Who answers for it: a team, or an address; null: whoever DATA_OWNER names"),
    decimals: z
      .int()
      .min(0)
      .max(10)
      .nullable()
      .describe("Digits after the point that it is measured with: headlines and axes have no more. null: as sent"),
    color: z
      .int()
      .min(1)
      .max(METRIC_COLORS)
      .nullable()
      .describe("Its place in the palette of charts, readable in both themes; null: one is chosen by its name"),
    thresholds,
    aliases: z
      .array(z.string())
      .describe("Other names under which it is sent: it was renamed, or these merged into it"),
    ownUnits: z.int().min(0).describe("Devices with a unit of their own"),
    firstSeen: instant,
  })
  .meta({ id: "Metric" });

const days = z.int().min(1).nullable();

const listed = metric
  .extend({
    units: z
      .array(z.object({ unit: z.string(), devices: z.int().min(1) }))
      .describe("Units that devices have of their own, as they or somebody said: the commonest first, eight at most"),
    kept: z
      .array(
        z.object({
          rule: z
            .object({ selects: z.enum(SELECTORS), pattern: z.string() })
            .nullable()
            .describe("The rule it is by; null: the general times"),
          raw: days.describe("Days of event time readings are kept; null: for ever"),
          minutes: days.describe("The same of their rollups by minute"),
          hours: days.describe("The same of their rollups by hour"),
        }),
      )
      .describe(
        "How long its readings are kept: more than one way where rules for types or sites differ, the shortest first",
      ),
  })
  .meta({ id: "ListedMetric" });

export const metricsAnswer = z
  .object({
    items: z.array(listed),
    dataOwner: z.string().nullable().describe("DATA_OWNER: who answers for metrics without an owner of their own"),
  })
  .meta({ id: "Metrics" });

const label = (most: number) =>
  z
    .string()
    .transform((text, context) => {
      const read = readLabel(text, most);
      if ("label" in read) return read.label;
      context.addIssue({ code: "custom", message: read.problem });
      return z.NEVER;
    })
    .nullable();

const unit = label(UNIT_LENGTH).describe(
  `Any short text: °F, bar, rpm, mV; at most ${UNIT_LENGTH} characters. null is none`,
);

/** What can be said of a metric. */
const SAID = ["unit", "kind", "min", "max", "description", "owner", "decimals", "color", "thresholds"] as const;

/** Changes of a metric; an absent one stays as it is. */
export const metricChanges = z
  .strictObject({
    unit: unit.optional(),
    kind: z
      .enum(["number", "boolean"])
      .optional()
      .describe("How values are shown; stored ones stay, and the next number makes a boolean a number again"),
    min: z.number().nullable().optional(),
    max: z.number().nullable().optional(),
    description: z
      .string()
      .trim()
      .max(DESCRIPTION_LENGTH)
      .transform((text) => text || null)
      .nullable()
      .optional(),
    owner: label(OWNER_LENGTH)
      .optional()
      .describe(`At most ${OWNER_LENGTH} characters; null: whoever DATA_OWNER names`),
    decimals: z.int().min(0).max(10).nullable().optional(),
    color: z.int().min(1).max(METRIC_COLORS).nullable().optional(),
    thresholds: z
      .strictObject({ warning: band.partial().optional(), critical: band.partial().optional() })
      .optional()
      .describe("What is left out stays; null takes a band away"),
    devices: z
      .array(text(128).min(1))
      .min(1)
      .max(MOST_UNIT_DEVICES)
      .optional()
      .describe("The unit is that of these devices alone; null takes away theirs, so that the metric's holds again"),
    unsetOnly: z.boolean().default(false).describe("Changes nothing that somebody has said before"),
  })
  .refine((changes) => SAID.some((part) => changes[part] !== undefined), {
    message: `must change one of ${SAID.join(", ")}`,
  })
  .refine(
    ({ devices, unit, ...others }) =>
      !devices || (unit !== undefined && SAID.every((part) => part === "unit" || others[part] === undefined)),
    { path: ["devices"], message: "have a unit of their own only: give the unit, and leave out all else" },
  );

/** Body of POST /api/v1/metrics/{name}/rename. */
export const renameBody = z.strictObject({ to: name.describe("Its name from now on") });

/** Query of GET /api/v1/metrics/{name}/effects: one of the three. */
export const effectsQuery = z
  .strictObject({
    to: name.optional().describe("What renaming it to this would do"),
    into: text(128).min(1).optional().describe("What merging it into this metric would do"),
    kind: z.enum(["number", "boolean"]).optional().describe("What making it this kind would do"),
  })
  .refine(({ to, into, kind }) => [to, into, kind].filter((one) => one !== undefined).length === 1, {
    message: "must have one of to, into and kind",
  });

const counted = z.int().min(0).nullable();

export const metricEffects = z
  .object({
    refused: z.string().nullable().describe("Why it can't be done now; null: it can"),
    devices: counted.describe(
      "Devices with readings of it. Here and below, null: counting took too long, or doesn't apply",
    ),
    readings: counted,
    rules: z
      .array(z.object({ name: z.string(), becomes: z.enum(["follows", "loses"]) }))
      .describe(
        "Alert rules that watch it: `follows` goes on by the new name, `loses` has a pattern that the new name doesn't match",
      ),
    views: z
      .array(z.string())
      .describe("Saved views that name it, of those the caller sees: they go on by any of its names"),
    both: counted.describe("Devices with readings of both metrics"),
    repeats: counted.describe(
      "Readings that the other metric has too, at the same device and time with the same value",
    ),
    conflicts: counted.describe(
      "Readings where the other metric has another value, which stays; they are counted as conflicts of their devices",
    ),
    coldDays: counted.describe("Days of readings in cold storage, which are brought back and moved there again later"),
    seconds: counted.describe("About how long the job works"),
    otherValues: counted.describe("Of a kind: readings that are neither 0 nor 1, shown as true then"),
    otherDevices: counted.describe("Devices with such readings"),
  })
  .meta({ id: "MetricEffects" });

/** Body of POST /api/v1/metrics/{name}/merge. */
export const mergeBody = z.strictObject({ into: text(128).min(1).describe("The metric that gets the readings") });

export const metricChanged = metric
  .extend({ unknownDevices: z.array(z.string()).describe("Of `devices`, those that have not reported yet") })
  .meta({ id: "MetricChanged" });

/** The devices that have a metric among their latest values. */
const metricUse = z
  .object({
    name: z.string(),
    devices: z.int().min(0),
    lastEventTime: instant.describe("Of the latest value of any of them"),
  })
  .meta({ id: "MetricUse" });

export const metricUseAnswer = z
  .object({ items: z.array(metricUse).describe("Those that any device has; by name") })
  .meta({ id: "MetricsUse" });

/** What is stored of one metric: what would be removed with it. */
export const metricStored = z
  .object({
    devices: z.int().min(0).nullable().describe("Devices with readings of it; null when counting took too long"),
    readings: z.int().min(0).nullable(),
    ownUnits: z.int().min(0).describe("Devices with a unit of their own"),
  })
  .meta({ id: "MetricStored" });

export type MetricView = z.infer<typeof listed>;
export type MetricChanged = z.infer<typeof metricChanged>;
export type MetricsAnswer = z.infer<typeof metricsAnswer>;
export type MetricUseAnswer = z.infer<typeof metricUseAnswer>;
export type MetricStored = z.infer<typeof metricStored>;
export type MetricEffects = z.infer<typeof metricEffects>;
export type MetricChanges = z.input<typeof metricChanges>;
