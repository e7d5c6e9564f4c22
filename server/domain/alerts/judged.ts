import { matcherOf } from "../series-rules";
import { type Bounds, boundsOf, type JudgedCondition, type JudgedRule } from "./condition";
import type { Condition, ConditionRule, OddnessRule, PipelineRule, QualityRule, Selector, SilenceRule } from "./rule";

/** What rules select devices by. */
export interface DeviceFacts {
  readonly name: string;
  readonly site: string | null;
  readonly type: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** A metric that a device has. */
export interface MetricFacts {
  readonly id: number;
  readonly name: string;
  /** The valid range, as far as it is known. */
  readonly min: number | null;
  readonly max: number | null;
}

/** Least time for which a value holds, and that of devices whose gaps aren't known yet. */
const LEAST_HOLD_MS = 30_000;
const UNKNOWN_HOLD_MS = 300_000;

/** Tells which devices a rule is for. */
export function selectorOf(of: Selector): (device: DeviceFacts) => boolean {
  const { sites, types, labels } = of;
  const devices = of.devices?.map(matcherOf);
  const without = of.without?.map(matcherOf) ?? [];
  const wanted = Object.entries(labels ?? {});
  return (device) =>
    (!sites || (device.site !== null && sites.includes(device.site))) &&
    (!types || (device.type !== null && types.includes(device.type))) &&
    (!devices || devices.some((matches) => matches(device.name))) &&
    wanted.every(([key, value]) => Object.hasOwn(device.labels, key) && device.labels[key] === value) &&
    !without.some((matches) => matches(device.name));
}

/** How long a value holds, in milliseconds. @param gapMs the device's usual time between readings; null: not known */
export function holdOf(holds: ConditionRule["holds"], gapMs: number | null): number {
  if (holds === "until-next") return Infinity;
  if (holds !== "auto") return holds;
  return gapMs === null ? UNKNOWN_HOLD_MS : Math.max(LEAST_HOLD_MS, 3 * steady(gapMs));
}

/** The next of a few lengths, so that what is learned moves seldom and never by a little. */
function steady(ms: number): number {
  return 1000 * 2 ** Math.ceil(Math.log2(Math.max(1, ms / 1000)));
}

/**
 * What a rule decides by for a device that it selects: of one condition for each of the metrics, by itself.
 * @returns by the id of the metric; 0: of several. Nothing where the device lacks what the rule is about.
 */
export function judgedOf(
  { conditions, match, forMs, keepMs, holds }: ConditionRule,
  metrics: readonly MetricFacts[],
  gapMs: number | null,
): { readonly metric: number; readonly rule: JudgedRule }[] {
  const holdMs = holdOf(holds, gapMs);
  const times = { match, forMs, keepMs };
  const [only, ...others] = conditions;
  if (others.length === 0) {
    const matches = matcherOf(only!.metric);
    return metrics.flatMap((metric) => {
      const one = matches(metric.name) ? judged(only!, 0, metric, holdMs) : null;
      return one === null ? [] : [{ metric: metric.id, rule: { ...times, conditions: [one], least: leastOf([one]) } }];
    });
  }
  const found = conditions.map((condition, place) => {
    const metric = metrics.find(({ name }) => name === condition.metric);
    return metric ? judged(condition, place, metric, holdMs) : null;
  });
  const there = found.filter((one) => one !== null);
  // Of any: what the device lacks says nothing. Of all: it could never be true.
  if (there.length === 0 || (match === "all" && there.length < found.length)) return [];
  const rules = match === "all" ? levelled(there) : there;
  return [{ metric: 0, rule: { ...times, conditions: rules, least: leastOf(rules) } }];
}

/** What a rule of silence decides by. @param afterMs the silence a device may keep */
export function silenceOf({ severity }: SilenceRule, afterMs: number): JudgedRule {
  return { match: "all", conditions: [], forMs: afterMs, keepMs: 0, least: severity };
}

/** What is measured holds for so long without another look: what nobody looked at is neither true nor over. */
export const PIPELINE_HOLD_MS = 60_000;

/** What a rule about the pipeline decides by: its measure is a condition on the metric 0. */
export function pipelineOf({ measure, limit = 0, forMs, keepMs, severity }: PipelineRule): JudgedRule {
  const bounds = boundsOf(measure === "freeDiskPercent" ? "below" : "above", limit);
  const condition: JudgedCondition = {
    ...{ metric: 0, place: 0, what: "value", holdMs: PIPELINE_HOLD_MS, clear: null, equals: false },
    ...{ warning: severity === "warning" ? bounds : null, critical: severity === "critical" ? bounds : null },
  };
  return { match: "all", conditions: [condition], forMs, keepMs, least: severity };
}

/** Stands for a metric in a rule that goes by a score of a series: no reading has it. */
export const SCORE = 0;

/** What a rule of oddness decides by for a device that it selects: for each of the metrics, by its score. */
export function oddnessOf(
  { metric: pattern, above, forMs, keepMs, severity }: OddnessRule,
  metrics: readonly MetricFacts[],
): { readonly metric: number; readonly rule: JudgedRule }[] {
  const matches = matcherOf(pattern);
  const bounds: Bounds = [-Infinity, above];
  const condition: JudgedCondition = {
    ...{ metric: SCORE, place: 0, what: "value", holdMs: Infinity, clear: null, equals: false },
    ...(severity === "critical" ? { warning: null, critical: bounds } : { warning: bounds, critical: null }),
  };
  return metrics
    .filter(({ name }) => matches(name))
    .map(({ id }) => ({
      metric: id,
      rule: { match: "all", conditions: [condition], forMs, keepMs, least: severity },
    }));
}

/** A score holds for so long without another one. */
const QUALITY_HOLD_MS = 3_600_000;

/** What a rule of quality decides by: the device's score is a condition on the metric {@link SCORE}. */
export function qualityOf({ below, forMs, keepMs, severity }: QualityRule): JudgedRule {
  const bounds = boundsOf("below", below);
  const condition: JudgedCondition = {
    ...{ metric: SCORE, place: 0, what: "value", holdMs: QUALITY_HOLD_MS, clear: null, equals: false },
    ...{ warning: severity === "warning" ? bounds : null, critical: severity === "critical" ? bounds : null },
  };
  return { match: "all", conditions: [condition], forMs, keepMs, least: severity };
}

/** Whether a condition asks for what no value of this kind is meant to be: a number for true or false, true or false for a limit that neither crosses. */
export function asksOtherKind(
  { what, is, warning, critical }: Pick<Condition, "what" | "is" | "warning" | "critical">,
  kind: "number" | "boolean",
): boolean {
  if (is === "true" || is === "false") return kind === "number";
  if (kind === "number" || what !== "value" || is === "invalid") return false;
  const all = [boundsOf(is, warning), boundsOf(is, critical)].filter((bounds) => bounds !== null);
  return ![0, 1].some((one) => all.some(([low, high]) => (is === "equals" ? one === low : one < low || one > high)));
}

function judged(of: Condition, place: number, metric: MetricFacts, holdMs: number): JudgedCondition | null {
  const base = { metric: metric.id, place, what: of.what, holdMs, clear: null, equals: false };
  const bySeverity = (bounds: Bounds) => {
    return of.severity === "critical" ? { warning: null, critical: bounds } : { warning: bounds, critical: null };
  };
  switch (of.is) {
    case "true":
    case "false":
      return { ...base, ...bySeverity(of.is === "true" ? [1, 1] : [0, 0]), equals: true };
    case "invalid":
      if (metric.min === null && metric.max === null) return null;
      return { ...base, ...bySeverity([metric.min ?? -Infinity, metric.max ?? Infinity]) };
    default:
      return {
        ...base,
        warning: boundsOf(of.is, of.warning),
        critical: boundsOf(of.is, of.critical),
        clear: boundsOf(of.is, of.clear),
        equals: of.is === "equals",
      };
  }
}

/** Where all have to be true, one without a limit of its own for a severity counts by the one it has. */
function levelled(conditions: readonly JudgedCondition[]): JudgedCondition[] {
  const has = (level: "warning" | "critical") => conditions.some((one) => one[level] !== null);
  const [warns, alarms] = [has("warning"), has("critical")];
  return conditions.map((one) => ({
    ...one,
    warning: one.warning ?? (warns ? one.critical : null),
    critical: one.critical ?? (alarms ? one.warning : null),
  }));
}

function leastOf(conditions: readonly JudgedCondition[]): JudgedRule["least"] {
  return conditions.some(({ warning }) => warning !== null) ? "warning" : "critical";
}
