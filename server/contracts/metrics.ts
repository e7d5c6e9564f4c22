import { z } from "zod";
import { readLabel, UNIT_LENGTH } from "@/server/domain/label";
import { instant, text } from "./common";

/** Most devices whose unit can be set at once. */
export const MOST_UNIT_DEVICES = 400;

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
    ownUnits: z.int().min(0).describe("Devices with a unit of their own"),
    firstSeen: instant,
  })
  .meta({ id: "Metric" });

export const metricsAnswer = z.object({ items: z.array(metric) }).meta({ id: "Metrics" });

const unit = z
  .string()
  .transform((text, context) => {
    const read = readLabel(text, UNIT_LENGTH);
    if ("label" in read) return read.label;
    context.addIssue({ code: "custom", message: read.problem });
    return z.NEVER;
  })
  .nullable()
  .describe(`Any short text: °F, bar, rpm, mV; at most ${UNIT_LENGTH} characters. null is none`);

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
    devices: z
      .array(text(128).min(1))
      .min(1)
      .max(MOST_UNIT_DEVICES)
      .optional()
      .describe("The unit is that of these devices alone; null takes away theirs, so that the metric's holds again"),
    unsetOnly: z.boolean().default(false).describe("Changes nothing that somebody has said before"),
  })
  .refine(({ unit, kind, min, max }) => [unit, kind, min, max].some((change) => change !== undefined), {
    message: "must change one of unit, kind, min and max",
  })
  .refine(
    ({ devices, unit, ...others }) =>
      !devices || (unit !== undefined && [others.kind, others.min, others.max].every((change) => change === undefined)),
    { path: ["devices"], message: "have a unit of their own only; leave kind, min and max out, and give the unit" },
  );

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

export type MetricView = z.infer<typeof metric>;
export type MetricsAnswer = z.infer<typeof metricsAnswer>;
export type MetricUseAnswer = z.infer<typeof metricUseAnswer>;
export type MetricStored = z.infer<typeof metricStored>;
export type MetricChanges = z.input<typeof metricChanges>;
