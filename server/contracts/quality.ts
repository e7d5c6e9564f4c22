import { z } from "zod";
import { DEVICE_CHECKS, FLAG_LEVELS, SERIES_CHECKS, SLOW_CHECKS } from "@/server/domain/quality/checks";
import { cursor, instant, moment, pageOf, text } from "./common";

const check = z
  .enum([...keysOf(SERIES_CHECKS), ...keysOf(DEVICE_CHECKS), ...keysOf(SLOW_CHECKS)])
  .describe("gap, reception, late, clock: of all series of a device; the others of one");

const share = z.number().min(0).max(1);

/** How good a day of a series is. */
const score = z.object({
  score: z
    .number()
    .min(0)
    .max(100)
    .nullable()
    .describe("100 times the product of the parts; null: too little is known"),
  expected: z.int().nullable().describe("Readings due by the series' own pace; null: it isn't known yet"),
  received: z.int().min(0),
  completeness: share.nullable(),
  validity: share,
  timeliness: share,
  plausibility: share,
  uniqueness: share,
});

export const qualityQuery = z.object({
  site: text(128).optional(),
  device: text(128).optional(),
  check: check.optional().describe("Only series that this check flagged that day, or their device"),
  day: z.iso.date().optional().describe("UTC; left out: the latest that is scored"),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor,
});

export const qualityAnswer = pageOf(
  score.extend({
    device: z.string(),
    site: z.string().nullable(),
    metric: z.string(),
    flagged: z
      .partialRecord(check, z.int())
      .describe("How often each check told that day, of the series or its device"),
  }),
)
  .extend({
    day: z.iso.date().nullable().describe("UTC; null: nothing is scored yet"),
    series: z.int().describe("Series that match, on all pages"),
    sites: z
      .array(
        z.object({
          site: z.string().nullable(),
          series: z.int(),
          median: z.number().nullable(),
          below80: z.int(),
          unknown: z.int(),
        }),
      )
      .describe("Sites by the median of their devices, each as good as its worst series; worst first"),
  })
  .meta({ id: "Quality" });

export const deviceQualityQuery = z.object({
  from: moment.optional().describe("First moment; default one hour before `to`"),
  to: moment.optional().describe("End, exclusive; default now"),
});

export const deviceQualityAnswer = z
  .object({
    device: z.string(),
    ...{ from: instant, to: instant },
    flags: z
      .array(
        z.object({
          metric: z.string().nullable().describe("null: of all the device's series"),
          check,
          level: z.enum(FLAG_LEVELS),
          ...{ from: instant, to: instant },
          count: z.int().describe("Readings, or messages, that it told of"),
        }),
      )
      .describe("What is flagged within, by time; the newest 2000"),
    more: z.boolean().describe("Whether there are older ones within"),
    counts: z
      .object({ repeats: z.int(), late: z.int(), conflicts: z.int() })
      .describe("Readings of the hours within that were sent again, came late, or had another value"),
    day: z.iso.date().nullable().describe("UTC day of the scores; null: none is scored yet"),
    series: z.array(
      score.extend({
        metric: z.string(),
        usual: z
          .object({
            gapMs: z.number().nullable(),
            step: z.number(),
            fastest: z.number().describe("A minute"),
            longestRun: z.number().describe("Readings"),
            lowest: z.number(),
            highest: z.number(),
          })
          .nullable()
          .describe("What its readings taught the checks; null: nothing yet"),
      }),
    ),
  })
  .meta({ id: "DeviceQuality" });

const times = (least: number) => z.number().min(least).max(1e6).nullable().optional();

/** Limits as people set them: null leaves a check out, what is absent is the default. */
const qualityLimits = z.strictObject({
  min: z.number().nullable().optional().describe("A value below fails; left out: the metric's valid range"),
  max: z.number().nullable().optional(),
  spikeSteps: z.number().min(1).max(1e6).nullable().optional().describe("Usual steps from both neighbors"),
  changeTimes: z.number().min(1).max(1e6).nullable().optional().describe("Times the fastest change so far"),
  stuckTimes: z.number().min(1).max(1e6).nullable().optional().describe("Times the longest run so far"),
  usualMargin: times(0).describe("A value is unusual this share of the usual range beyond it"),
  climatologySpreads: times(1).describe("Of an hour's mean from that of this hour of the week"),
  attenuatedShare: times(0).describe("Of what it usually moves within an hour"),
  unitMargin: times(0).describe("Values fit another unit within this share of the usual range"),
  crossSpreads: times(1).describe("From where another metric of its device says it is"),
  neighborSpreads: times(1).describe("From its usual place among its neighbors"),
  driftSpreads: times(1).describe("Of a day's mean from those of four weeks; null leaves out slides, too"),
});

export const qualityLimitsBody = z
  .strictObject({
    metric: text(128).min(1),
    device: text(128).min(1).nullable().default(null).describe("null: for all devices that have none of their own"),
    limits: qualityLimits.describe("All of them; {} goes by the defaults again"),
  })
  .refine(({ limits: { min, max } }) => min == null || max == null || min <= max, {
    path: ["limits", "max"],
    message: "must not be below min",
  });

export const qualityLimitsAnswer = z
  .object({
    defaults: qualityLimits,
    items: z.array(
      z.object({
        metric: z.string(),
        device: z.string().nullable(),
        limits: qualityLimits,
        updatedAt: instant,
        updatedBy: z.string(),
      }),
    ),
  })
  .meta({ id: "QualityLimits" });

export const dataContractQuery = z.object({
  site: text(128).optional(),
  type: text(128).optional(),
  form: z
    .enum(["readings", "views"])
    .default("readings")
    .describe("readings: one property a metric, and every check · views: the views in PostgreSQL, with rules in SQL"),
});

/** By https://bitol.io: the parts that every contract has. */
export const dataContract = z
  .looseObject({
    ...{ apiVersion: z.literal("v3.1.0"), kind: z.literal("DataContract") },
    ...{ id: z.string(), version: z.string(), status: z.string() },
  })
  .meta({ id: "DataContract" });

export type QualityAnswer = z.infer<typeof qualityAnswer>;
export type QualityLimitsAnswer = z.infer<typeof qualityLimitsAnswer>;
export type QualityLimitsBody = z.input<typeof qualityLimitsBody>;
export type DeviceQuality = z.infer<typeof deviceQualityAnswer>;

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): [K, ...K[]] {
  return Object.keys(table) as [K, ...K[]];
}
