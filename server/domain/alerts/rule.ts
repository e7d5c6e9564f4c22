import { z } from "zod";
import { LABEL_LENGTH } from "../label";

export const SEVERITIES = ["warning", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** The values of a metric that a condition looks at. Those of minutes are known when the minute is over. */
export const WHATS = ["value", "changePerMinute", "minuteMean", "minuteMin", "minuteMax"] as const;
/** `invalid`: outside of the metric's valid range. */
const RELATIONS = ["above", "below", "outside", "equals", "true", "false", "invalid"] as const;

export const CONDITIONS_MOST = 8;
const DAY = 86_400_000;
const PATTERN = /^[A-Za-z0-9_.:*-]{1,128}$/;

const number = z.number().describe("A finite number");
const range = z
  .tuple([number, number])
  .refine(([low, high]) => low <= high, "The lower limit stands first")
  .describe("Lower and upper limit");
const limit = z.union([number, range]);
export type Limit = z.infer<typeof limit>;

const pattern = z
  .string()
  .regex(PATTERN, {
    error: ({ input }) =>
      input === ""
        ? "Give a name, or one with * for any characters"
        : "A name has letters, digits and _ . : - only, and * for any characters",
  })
  .describe("A name, or one with * for any characters");
const label = z.string().min(1).max(LABEL_LENGTH);
const some = <T extends z.ZodType>(of: T) => z.array(of).min(1).max(100).optional();

const selector = z
  .strictObject({
    sites: some(label),
    types: some(label),
    devices: some(pattern),
    labels: z.record(z.string().min(1).max(LABEL_LENGTH), label).optional(),
    /** Devices that are left out. */
    without: some(pattern),
  })
  .describe("Devices that fit each part that is given; all devices if none is");
export type Selector = z.infer<typeof selector>;

const condition = z
  .strictObject({
    metric: pattern.describe(
      "A metric; in a rule of one condition also a pattern with *, which watches each metric by itself",
    ),
    what: z.enum(WHATS).default("value"),
    is: z.enum(RELATIONS),
    warning: limit.optional(),
    critical: limit.optional(),
    clear: limit.optional().describe("Only beyond this limit it is over; left out: as soon as no limit is crossed"),
    severity: z
      .enum(SEVERITIES)
      .optional()
      .describe("Of true, false and invalid, which have no limits; warning if left out"),
  })
  .superRefine((of, ctx) =>
    checkLimits(of, (message, path) => ctx.addIssue({ code: "custom", message, path: [path] })),
  );
export type Condition = z.infer<typeof condition>;

const ms = (most: number) => z.int().min(0).max(most);
const times = {
  forMs: ms(DAY * 7)
    .default(0)
    .describe("Milliseconds for which it has to be true before it fires"),
  keepMs: ms(DAY).default(0).describe("Milliseconds for which it has to be over before it ends"),
};
const of = selector.default({});
const severity = z.enum(SEVERITIES).default("warning");

const conditionRule = z
  .strictObject({
    kind: z.literal("condition"),
    of,
    match: z.enum(["all", "any"]).default("all"),
    conditions: z.array(condition).min(1).max(CONDITIONS_MOST),
    ...times,
    holds: z
      .union([
        z.literal("auto"),
        z.literal("until-next"),
        z
          .int()
          .min(1000)
          .max(DAY * 7),
      ])
      .default("auto")
      .describe(
        "How long a reading holds without another: three times the device's usual gap, until the next, or milliseconds",
      ),
    late: z.enum(["record", "tell"]).default("record"),
  })
  .superRefine(({ conditions }, ctx) => {
    if (conditions.length === 1) return;
    for (const [i, { metric }] of conditions.entries())
      if (metric.includes("*"))
        ctx.addIssue({
          code: "custom",
          message: "A pattern stands in a rule of one condition only",
          path: ["conditions", i, "metric"],
        });
  });
export type ConditionRule = z.infer<typeof conditionRule>;

const silenceRule = z.strictObject({
  kind: z.literal("silence"),
  of,
  afterMs: z
    .int()
    .min(1000)
    .max(DAY * 30)
    .nullable()
    .default(null)
    .describe("Null: by what is usual for each device"),
  severity,
});
export type SilenceRule = z.infer<typeof silenceRule>;

const shareOfSiteRule = z.strictObject({
  kind: z.literal("share-of-site"),
  of,
  atLeast: z.int().min(2).max(100_000).default(5),
  share: z.number().gt(0).max(1).default(0.3),
  withinMs: ms(DAY).default(120_000),
  severity: z.enum(SEVERITIES).default("critical"),
});
export type ShareOfSiteRule = z.infer<typeof shareOfSiteRule>;

const qualityRule = z.strictObject({
  kind: z.literal("quality"),
  of,
  below: z.number().min(0).max(100),
  ...times,
  severity,
});
export type QualityRule = z.infer<typeof qualityRule>;
const oddnessRule = z.strictObject({
  kind: z.literal("oddness"),
  of,
  metric: pattern.describe("A metric, or a pattern with * for several; each series is judged by itself"),
  above: z
    .number()
    .min(1.05)
    .max(99)
    .default(1.5)
    .describe("Distance from usual ÷ the largest one before: 1.5 is 50 % farther than ever"),
  ...times,
  severity,
});
export type OddnessRule = z.infer<typeof oddnessRule>;

const PIPELINE_MEASURES = [
  "lagSeconds",
  "deadLetterPercent",
  "freeDiskPercent",
  "engineAway",
  "sourceSilentMinutes",
] as const;
export type PipelineMeasure = (typeof PIPELINE_MEASURES)[number];
const pipelineRule = z
  .strictObject({
    kind: z.literal("pipeline"),
    measure: z.enum(PIPELINE_MEASURES),
    limit: z
      .number()
      .min(0)
      .optional()
      .describe("In the measure's unit; freeDiskPercent is below it, the others above. engineAway has none"),
    ...times,
    severity,
  })
  .superRefine(({ measure, limit }, ctx) => {
    const refuse = (message: string) => ctx.addIssue({ code: "custom", message, path: ["limit"] });
    if (measure === "engineAway") {
      if (limit !== undefined) refuse("“engineAway” has no limit; forMs says for how long");
    } else if (limit === undefined) refuse("Give a limit");
    else if (measure.endsWith("Percent") && limit >= 100) refuse("Give a percentage below 100");
  });
export type PipelineRule = z.infer<typeof pipelineRule>;

/** What a rule decides by. */
export const ruleSpec = z.discriminatedUnion("kind", [
  conditionRule,
  silenceRule,
  shareOfSiteRule,
  qualityRule,
  oddnessRule,
  pipelineRule,
]);
export type RuleSpec = z.infer<typeof ruleSpec>;

interface Limits {
  readonly is: (typeof RELATIONS)[number];
  readonly warning?: Limit | undefined;
  readonly critical?: Limit | undefined;
  readonly clear?: Limit | undefined;
  readonly severity?: Severity | undefined;
}

/** Says what a critical limit has to be beside a warning limit. */
function criticalWords(is: Limits["is"], warning: Limit): string {
  if (Array.isArray(warning)) return `Give a critical range that holds that of the warning, ${warning.join(" to ")}`;
  return `Give a critical limit that is worse than the warning limit: ${is === "above" ? `above ${warning}` : `below ${warning}`}`;
}

function checkLimits(of: Limits, refuse: (message: string, path: string) => void): void {
  const { is, warning, critical, clear } = of;
  if (is === "true" || is === "false" || is === "invalid") {
    for (const name of ["warning", "critical", "clear"] as const)
      if (of[name] !== undefined) refuse(`“${is}” has no limits; say severity instead`, name);
    return;
  }
  if (of.severity !== undefined) refuse(`Say warning or critical, each with its limit, instead`, "severity");
  if (warning === undefined && critical === undefined)
    return refuse("Give a limit as warning, critical or both", "warning");
  for (const name of ["warning", "critical", "clear"] as const) {
    const value = of[name];
    if (value !== undefined && Array.isArray(value) !== (is === "outside"))
      return refuse(is === "outside" ? "Give a lower and an upper limit: [10, 80]" : "Give one number", name);
  }
  if (is === "equals") {
    if (clear !== undefined) refuse("“equals” has no limit below which it is over", "clear");
    return;
  }
  const bounds = (value: Limit | undefined): readonly [number, number] | null => {
    if (value === undefined) return null;
    if (Array.isArray(value)) return value;
    return is === "above" ? [-Infinity, value] : [value, Infinity];
  };
  /** Whether the second lies within the first. */
  const holds = (outer: readonly [number, number], inner: readonly [number, number]) =>
    outer[0] <= inner[0] && inner[1] <= outer[1];
  const [usual, worse, over] = [bounds(warning), bounds(critical), bounds(clear)];
  if (usual && worse && !holds(worse, usual)) refuse(criticalWords(is, warning!), "critical");
  const first = usual ?? worse;
  if (over && first && !holds(first, over)) refuse("It is over on the good side of the limits only", "clear");
}
