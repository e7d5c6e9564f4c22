import { z } from "zod";
import { MOST_NAMED } from "@/server/domain/device-lists";
import { instant, moment, nameList, text } from "./common";
import { fleetFilter } from "./fleet";

/** Most devices that are read at once: as series of their own, or to make those of sites and types. */
export const MOST_DEVICES = 1000;
/** Up to so many series come as lines, with every figure of each step; more come as strips, with their mean alone. */
export const MOST_LINES = 24;
/** Most steps of a line and of a strip. */
export const MOST_STEPS = { lines: 500, strips: 200 } as const;

export const exploreQuery = z.object({
  metric: text(128).min(1),
  devices: nameList(MOST_NAMED)
    .optional()
    .describe(`Only these, joined by commas, at most ${MOST_NAMED}; retired ones too`),
  ...fleetFilter,
  by: z
    .enum(["device", "site", "type"])
    .default("device")
    .describe("What a series is of: a device; or all devices of a site or type together, each counting the same"),
  from: moment.optional().describe("First moment; default one hour before `to`"),
  to: moment.optional().describe("End, exclusive; default now"),
  points: z.coerce
    .number()
    .int()
    .min(10)
    .max(MOST_STEPS.lines)
    .optional()
    .describe(
      `At most this many steps; default 300, of more than ${MOST_LINES} devices 160; strips have ${MOST_STEPS.strips} at most`,
    ),
  previous: z
    .enum(["range", "day", "week"])
    .optional()
    .describe("Answers with the same series one range, day or week earlier, too"),
});

const figure = z.number().nullable();

/** What a series was over the whole range. All are null, and count is 0, where it has no reading in it. */
const figures = z.object({
  count: z.int().min(0).describe("Readings"),
  min: figure,
  mean: figure.describe("Of a site or type: of the means of its devices"),
  max: figure,
  last: figure.describe("The latest reading; of a site or type: the mean of the latest of each device"),
  lastAt: z.number().nullable().describe("Event time of the newest reading, epoch milliseconds"),
});

const series = z.object({
  id: z
    .string()
    .describe("Its own in this answer: the device; or the site or type, with the unit where several are in use"),
  name: z.string().nullable().describe("The device, site or type; null: the devices without any"),
  site: z.string().nullable().describe("Of a device"),
  type: z.string().nullable().describe("Of a device"),
  unit: z.string().nullable(),
  devices: z.int().min(1).describe("Devices in it"),
  figures,
  held: z
    .object({
      before: z
        .object({ time: z.number(), value: z.number() })
        .nullable()
        .describe("The last reading before `from`, of 31 days at most"),
      until: z
        .number()
        .nullable()
        .describe("Event time of the device's newest reading: until then the last value holds"),
    })
    .nullable()
    .describe(
      "Of lines of true and false, one a device: what holds from before the range, and until when. Null: it is of something else",
    ),
  points: z
    .array(z.tuple([z.number(), z.int(), z.number(), z.number(), z.number(), z.number()]))
    .nullable()
    .describe(
      "Of lines: start (epoch milliseconds), count, mean, min, max and last of each step with readings. Of a site or type, mean and last are " +
        "means over its devices, each counting the same; min and max are of all their readings. Null: it is a strip",
    ),
  means: z
    .array(z.number().nullable())
    .nullable()
    .describe(
      "Of strips: the mean of every step from `from` to `to`, to five digits; null where there is no reading. Null: it is a line",
    ),
});

/** How the series lie together: at each step that some have readings in, their number and the quantiles of their means. */
const band = z.object({
  unit: z.string().nullable().describe("Only series in this unit are in the band: the one most of them have"),
  leftOut: z.int().min(0).describe("Series in other units"),
  points: z
    .array(z.tuple([z.number(), z.int(), z.number(), z.number(), z.number()]))
    .describe("Start (epoch milliseconds), number of series, 10th percentile, median and 90th percentile of the means"),
});

const outlier = z.object({
  id: z.string().describe("The series'"),
  side: z.enum(["above", "below"]).describe("Where it was when it was farthest"),
  steps: z.int().min(1).describe("Steps in which it was an outlier"),
  of: z.int().min(1).describe("Steps in which it has readings and the band has ten series"),
  farthest: z.object({ time: z.number().describe("Epoch milliseconds of the step"), mean: z.number() }),
});

/** The answer's series in another stretch of time. */
const stretch = z.object({
  from: instant.describe("Steps are whole: those at the ends may reach beyond what was asked for"),
  to: instant,
  series: z.array(series),
  band: band.nullable().describe("Of strips; null for lines"),
});

/** One metric of several devices, sites or types over one stretch, in steps of one width. */
export const exploreAnswer = stretch
  .extend({
    metric: z.string(),
    kind: z.enum(["number", "boolean"]).describe("The mean of a boolean is the share of readings that were true"),
    decimals: z.int().nullable().describe("Digits after the point that it is measured with; null: as sent"),
    color: z.int().nullable().describe("Its place in the palette of charts; null: one is chosen by its name"),
    by: z.enum(["device", "site", "type"]),
    shape: z.enum(["lines", "strips"]),
    bucketMs: z.int().min(1).describe("Width of a step"),
    resolution: z.enum(["raw", "minute", "hour"]).describe("What the steps were made from"),
    cold: z.enum(["none", "read", "away"]).describe("As for the history of a device"),
    units: z
      .array(z.object({ unit: z.string().nullable(), devices: z.int().min(1) }))
      .describe("The units in use, the most common first; values in different ones are never put together"),
    matched: z.int().min(0).describe("Devices that match and have the metric"),
    read: z.int().min(0).describe(`Those in the answer, the first by id: ${MOST_DEVICES} at most`),
    missing: z.array(z.string()).describe("Named devices that aren't there, don't match, or never had the metric"),
    outliers: z
      .array(outlier)
      .describe(
        "Of strips: series whose mean was beyond the band by more than the band's own width, in a tenth of their steps and in two at least; " +
          "the most steps first, twelve at most",
      ),
    previous: stretch
      .extend({ shiftMs: z.int().min(1).describe("What to add to its times to lay it over the answer's") })
      .nullable(),
  })
  .meta({ id: "Explore" });

export type ExploreAnswer = z.infer<typeof exploreAnswer>;
export type ExploreSeries = z.infer<typeof series>;
/** What is asked for, as an address has it. */
export type ExploreQuery = z.input<typeof exploreQuery>;
