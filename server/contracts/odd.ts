import { z } from "zod";
import { CHANNELS } from "@/server/domain/oddness/detector";
import { cursor, instant, moment, pageOf, text } from "./common";

/** From this oddness on a stretch is shown unless another is asked for: less comes by chance, on a fleet every few minutes. */
export const SHOWN_FROM = 1.3;

const LABELS = ["normal", "real"] as const;

export const oddStretch = z
  .object({
    id: z.string(),
    device: z.string(),
    site: z.string().nullable(),
    metric: z.string(),
    unit: z.string().nullable().describe("Of the metric at the device"),
    from: instant.describe("Event time of its first odd step"),
    to: instant.describe("End of its last odd step"),
    goesOn: z.boolean(),
    score: z.number().describe("Of the last step: distance from usual ÷ the largest one before the stretch"),
    peak: z.number().describe("Of its oddest step, of which the numbers below are"),
    peakAt: instant,
    channel: z.enum(CHANNELS).describe("What was farthest from usual"),
    now: z.number(),
    usual: z.number(),
    farthest: z.number().describe("The largest distance from usual before; 0: it never left it"),
    knownSince: instant,
    sentence: z.string().describe("Why it is odd, in words and with its numbers"),
    said: z.object({ what: z.enum(LABELS), by: z.string(), at: instant }).nullable(),
  })
  .meta({ id: "OddStretch" });

const oddGroup = z
  .object({
    site: z.string().nullable(),
    device: z.string().nullable().describe("null: much of the site is odd"),
    odd: z.int().describe("Series that are odd at once"),
    of: z.int().describe("Number series of the device, or of the site"),
    devices: z.int().describe("Devices whose series they are"),
    from: instant.describe("Event time of the first odd step of any of them"),
    metrics: z.array(z.string()).describe("What is odd, that of most series first"),
    peak: z.number().describe("Of the oddest"),
    sentence: z.string(),
  })
  .meta({ id: "OddGroup" });

export const oddQuery = z.object({
  state: z
    .enum(["now", "day", "week"])
    .default("now")
    .describe("now: what is odd; day, week: also what was, within that time"),
  least: z.coerce.number().min(1).max(100).default(SHOWN_FROM).describe("The least oddness at its peak"),
  site: text(128).optional(),
  device: text(128).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(25),
  cursor,
});

export const oddAnswer = pageOf(
  oddStretch.extend({
    line: z
      .array(z.number().nullable())
      .describe("Means of steps of 5 minutes, the last at its end or now; null: no reading"),
    band: z
      .tuple([z.number(), z.number()])
      .nullable()
      .describe("The values that are usual; null: it isn't its values that are odd"),
  }),
)
  .extend({
    groups: z
      .array(oddGroup)
      .describe(
        "What is odd at once and told as one: three series of a device or more, and a fifth of a site's or more. Its stretches aren't among the items: ask by its device or site. " +
          "On the first page, the widest first",
      ),
    total: z.int().describe("Stretches that match and are of no group, on all pages"),
    devices: z.int().describe("Devices that are followed"),
    warm: z.int().describe("Those of which enough is known: a day, and 100 steps"),
    firstAt: instant.nullable().describe("When the first of the others can be odd; null: there is no other"),
    said: z
      .object({ real: z.int(), normal: z.int() })
      .describe("What people said so far: the share that was real is how precise it is here"),
  })
  .meta({ id: "Odd" });

export const stretchPath = z.object({
  stretch: z
    .string()
    .regex(/^\d{1,18}$/, "must be a stretch's id")
    .describe("A stretch's id"),
});

export const labelBody = z.strictObject({
  said: z
    .enum(LABELS)
    .nullable()
    .describe(
      "normal: ends it, and is usual from now on · real: nothing is learned from it · null: takes back what was said",
    ),
});

export const deviceOddnessQuery = z.object({
  metric: text(128).min(1),
  from: moment.optional().describe("First moment; default one hour before `to`"),
  to: moment.optional().describe("End, exclusive; default now. At most 31 days after `from`"),
});

export const deviceOddnessAnswer = z
  .object({
    device: z.string(),
    metric: z.string(),
    ...{ from: instant, to: instant },
    points: z.array(
      z.object({
        time: instant.describe("Start of the step of 5 minutes"),
        mean: z.number(),
        low: z.number().nullable().describe("What was usual by the 30 days before, from here …"),
        high: z.number().nullable().describe("… to here; null: too little was known"),
        score: z.number(),
      }),
    ),
  })
  .meta({ id: "DeviceOddness" });

export type OddGroup = z.infer<typeof oddGroup>;
export type OddAnswer = z.infer<typeof oddAnswer>;
export type DeviceOddness = z.infer<typeof deviceOddnessAnswer>;
