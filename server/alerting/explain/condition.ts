import { asksOtherKind, judgedOf } from "@/server/domain/alerts/judged";
import type { JudgedRule } from "@/server/domain/alerts/condition";
import type { Condition, ConditionRule } from "@/server/domain/alerts/rule";
import { leastBounds, type Trace, traceRule, type TracedSample, type Try } from "@/server/domain/alerts/trace";
import {
  cameLate,
  gapAfter,
  limitWords,
  neverBeyond,
  reason,
  type Reason,
  type SaidMetric,
  type Say,
  type Short,
  stillPending,
  subjectOf,
  tooShort,
  valueOf,
} from "@/server/domain/alerts/why";
import { formatDuration } from "@/server/domain/duration";
import { matcherOf } from "@/server/domain/series-rules";
import type { EpochMs } from "@/server/domain/terms";
import type { DevicePast } from "./past";

/** Steps that are told. */
const MOST_STEPS = 200;

/** A device's readings, by event time, and when they were judged. */
export interface Judged {
  readonly samples: readonly TracedSample[];
  /** In the order in which they came. */
  readonly arrived: readonly TracedSample[];
  /** When what has this event time came, and was judged; null: not known. */
  readonly arrival: (event: EpochMs) => { readonly ingest: EpochMs; readonly processed: EpochMs } | null;
}

/** What one version of a rule came to for one series, or for all of a device's metrics together. */
export interface Outcome {
  /** How near it came to being told: 3 it should have been, 2 it was true for a while, 1 never, 0 nobody knows. */
  readonly rank: 0 | 1 | 2 | 3;
  /** Among those of one rank the larger one tells more. */
  readonly weight: number;
  /** Event times of what decided it. */
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly reason: Reason;
  readonly steps: readonly { readonly at: EpochMs; readonly words: string }[];
  readonly metric: string | null;
}

interface Asked {
  readonly device: DevicePast;
  /** Only this series; null: whichever tells most. */
  readonly metric: string | null;
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** The device's own time now: what it would send now has this event time. */
  readonly until: EpochMs;
  readonly say: Say;
  /** A stretch with late readings is about to be judged again. */
  readonly waits: boolean;
}

/** What a rule comes to without any readings: the device lacks what it is about. Null: it has it. */
export function lacking(spec: ConditionRule, { device, metric }: Pick<Asked, "device" | "metric">): Reason | null {
  const names = spec.conditions.map((one) => one.metric);
  const { name } = device.facts;
  if (metric !== null && !names.some((pattern) => matcherOf(pattern)(metric)))
    return reason("no-metric", `The rule isn’t about ${metric}: it is about ${names.join(", ")}.`, {
      words: { metric },
    });
  const wanted = metric !== null && names.length === 1 ? [metric] : names;
  const missing = wanted.filter((pattern) => !device.metrics.some((one) => matcherOf(pattern)(one.name)));
  const isLacking = spec.match === "all" ? missing.length > 0 : missing.length === wanted.length;
  if (isLacking) {
    const which = missing[0]!;
    const what = which.includes("*") ? `a metric like ${which}` : which;
    return reason("no-metric", `${name} has never sent ${what}.`, { words: { metric: which } });
  }
  if (judgedOf(spec, device.metrics, device.gapMs).length > 0) return null;
  const of = spec.conditions.find(({ is }) => is === "invalid");
  const what = of?.metric ?? names[0]!;
  const none =
    what === "*"
      ? `No metric of ${name} has a valid range`
      : what.includes("*")
        ? `No metric like ${what} of ${name} has a valid range`
        : `${what} has no valid range`;
  return reason("no-valid-range", `${none}, so no value can be outside of it: it is set on the page Metrics.`, {
    words: { metric: what },
  });
}

/** Runs the machine by one version of a rule, and says what it came to. */
export function outcomesOf(spec: ConditionRule, judged: Judged, asked: Asked): Outcome[] {
  const { device, metric, from, to } = asked;
  const metrics = new Map(device.metrics.map((one) => [one.id, one]));
  return judgedOf(spec, device.metrics, device.gapMs).flatMap(({ metric: id, rule }) => {
    const name = id === 0 ? null : metrics.get(id)!.name;
    if (metric !== null && name !== null && name !== metric) return [];
    const said = rule.conditions.map((one) => metrics.get(one.metric)!);
    // What began before the end is followed to its own.
    const end = Math.max(to, Math.min(asked.until, to + rule.forMs + 600_000));
    const trace = traceRule(rule, judged.samples, from, end);
    const asks = said.map((one) => spec.conditions.find((of) => matcherOf(of.metric)(one.name))!);
    const found = outcomeOf(rule, { said, asks }, trace, judged, asked);
    return found === null ? [] : [{ ...found, metric: name, steps: stepsOf(rule, said, trace, asked) }];
  });
}

type Found = Omit<Outcome, "metric" | "steps">;

function outcomeOf(
  rule: JudgedRule,
  { said, asks }: { readonly said: readonly SaidMetric[]; readonly asks: readonly Condition[] },
  trace: Trace,
  judged: Judged,
  asked: Asked,
): Found | null {
  const { from, to, until, say } = asked;
  const meets = (since: EpochMs, end: EpochMs | null) => since <= to && (end ?? Infinity) >= from;
  const episode = trace.episodes.find((one) => meets(one.startedAt, one.endedAt));
  if (episode) {
    const span = { from: episode.startedAt, to: episode.firedAt! };
    const late = lateReason(rule, said, span, judged, asked);
    return { rank: 3, weight: 0, ...span, reason: late ?? notKnown(say, span.to) };
  }
  const tries = trace.tries.filter((one) => meets(one.since, one.until));
  const longest = tries.toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];
  if (longest) {
    const { since, until: end } = longest;
    return {
      rank: 2,
      weight: lengthOf(longest) / Math.max(1, rule.forMs),
      from: since,
      to: end,
      reason: tryReason(rule, said, longest, judged.samples, until, say),
    };
  }
  const { closest, looks } = trace;
  if (closest === null || looks === 0) return null;
  const condition = rule.conditions[closest.condition]!;
  const metric = said[closest.condition]!;
  const bounds = leastBounds(condition, rule.least)!;
  const at = { from: closest.at, to: closest.at };
  if (closest.value === null) {
    const sentence = `${subjectOf(condition, metric)} wasn’t known${closest.others > 0 ? " when the rest was true" : ""} at ${say.time(closest.at)}: a reading of it holds for ${formatDuration(condition.holdMs)}.`;
    const told = {
      at: closest.at,
      numbers: { holdMs: condition.holdMs },
      times: { at: closest.at },
      words: { metric: metric.name },
    };
    return { rank: 0, weight: 0, ...at, reason: reason("never-known", sentence, told) };
  }
  const near = {
    condition,
    bounds,
    metric,
    value: closest.value,
    at: closest.at,
    amongOthers: closest.others > 0,
    looks,
  };
  const other = otherKind(asks[closest.condition]!, near, asked);
  return { rank: 1, weight: nearness(near), ...at, reason: other ?? neverBeyond(say, near) };
}

const lengthOf = ({ since, until, valueAt, ended }: Try) => (ended === "gap" ? valueAt : until) - since;

/** How near to its limit the nearest value was, for which of several series tells most; at most 0. */
function nearness({ bounds: [low, high], value }: { bounds: readonly [number, number]; value: number }): number {
  const by = Math.min(Math.abs(high - value), Math.abs(value - low));
  return -by / Math.max(1e-9, ...[low, high].filter(Number.isFinite).map(Math.abs));
}

/** A metric of true and false never is above 80, and a number hardly ever “true”. */
function otherKind(asks: Condition, near: Parameters<typeof neverBeyond>[1], { say }: Asked): Reason | null {
  const { condition, bounds, metric, at, value } = near;
  if (!asksOtherKind(asks, metric.kind)) return null;
  const was = `${valueOf(condition, metric, value)} at ${say.time(at)}`;
  const told = { at, numbers: { value }, times: { at }, words: { metric: metric.name, kind: metric.kind } };
  if (metric.kind === "boolean") {
    const wanted = limitWords(condition, bounds, { ...metric, kind: "number" });
    return reason(
      "kind-differs",
      `${metric.name} is true or false, and the rule asks for a number ${wanted}: it was ${was}.`,
      told,
    );
  }
  // A flag that is sent as 0 and 1 is meant.
  if (value === 0 || value === 1) return null;
  return reason(
    "kind-differs",
    `${metric.name} is a number, and the rule asks whether it is ${asks.is}, for which a number has to be ${bounds[0]}: it was ${was}.`,
    told,
  );
}

/** What was true, in the past tense: of one condition with its limit, of several "all of it" or the one that leads. */
function trueWords(rule: JudgedRule, said: readonly SaidMetric[], leading: number): string {
  if (rule.conditions.length > 1 && rule.match === "all") return "All of it was true";
  const condition = rule.conditions[leading]!;
  const metric = said[leading]!;
  return `${subjectOf(condition, metric)} was ${limitWords(condition, leastBounds(condition, rule.least)!, metric)}`;
}

function tryReason(
  rule: JudgedRule,
  said: readonly SaidMetric[],
  one: Try,
  samples: readonly TracedSample[],
  now: EpochMs,
  say: Say,
): Reason {
  const condition = rule.conditions[one.condition]!;
  const metric = said[one.condition]!;
  const { forMs } = rule;
  const short: Short = { wasTrue: trueWords(rule, said, one.leading), since: one.since, until: one.until, forMs };
  if (one.ended === "gap") {
    const next =
      samples.find(({ time, metrics }) => time > one.valueAt && metrics.includes(condition.metric))?.time ?? null;
    return gapAfter({ ...short, until: one.valueAt }, condition.holdMs, next);
  }
  if (one.ended === "open") return stillPending(say, { ...short, until: Math.min(one.until, now) });
  const value = valueOf(condition, metric, one.value);
  const words = rule.conditions.length > 1 ? `${subjectOf(condition, metric)} was ${value}` : value;
  return tooShort(say, short, { words, value: one.value });
}

/** Says that a reading of a span came when its time had been judged; null: none did, or the machine fires as they came, too. */
function lateReason(
  rule: JudgedRule,
  said: readonly SaidMetric[],
  span: { readonly from: EpochMs; readonly to: EpochMs },
  { arrived, arrival }: Judged,
  { from, until, say, waits }: Asked,
): Reason | null {
  const live = traceRule(rule, arrived, from, Math.max(span.to, until));
  if (live.episodes.some(({ startedAt, endedAt }) => startedAt <= span.to && (endedAt ?? Infinity) >= span.from))
    return null;
  let newest: EpochMs = -Infinity;
  let found: Reason | null = null;
  /** When each later reading came first. */
  const ahead: { time: EpochMs; ingest: EpochMs }[] = [];
  for (const { time, metrics, values } of arrived) {
    const i = rule.conditions.findIndex(({ metric }) => metrics.includes(metric));
    if (i < 0) continue;
    const came = arrival(time)?.ingest ?? time;
    const isLateOne = found === null && time < newest && time >= span.from && time <= span.to;
    const judged = isLateOne ? ahead.find((one) => one.time > time)?.ingest : undefined;
    if (judged !== undefined) {
      const condition = rule.conditions[i]!;
      const value = values[metrics.indexOf(condition.metric)]!;
      const what = `${said[i]!.name} ${valueOf({ what: "value" }, said[i]!, value)}`;
      found = cameLate(say, { what, value, at: time, came, judged, waits });
    }
    if (time > newest) ahead.push({ time, ingest: came });
    newest = Math.max(newest, time);
  }
  return found;
}

function notKnown(say: Say, at: EpochMs): Reason {
  return reason(
    "not-known",
    `By the readings that are kept it should have fired at ${say.time(at)}, and nothing that is kept says why it didn’t.`,
    { at, times: { due: at } },
  );
}

/** What happened within the stretch, in words. */
function stepsOf(
  rule: JudgedRule,
  said: readonly SaidMetric[],
  { tries, episodes, closest }: Trace,
  { from, to }: Asked,
) {
  const steps: { at: EpochMs; words: string }[] = [];
  for (const one of tries) {
    steps.push({ at: one.since, words: trueWords(rule, said, one.leading) });
    const condition = rule.conditions[one.condition]!;
    const value = valueOf(condition, said[one.condition]!, one.value);
    if (one.ended === "false")
      steps.push({ at: one.until, words: `Not any more: ${subjectOf(condition, said[one.condition]!)} was ${value}` });
    if (one.ended === "gap")
      steps.push({ at: one.until, words: `Nobody knew any more: the last reading, ${value}, had held` });
  }
  for (const { startedAt, firedAt, endedAt } of episodes) {
    steps.push({ at: startedAt, words: trueWords(rule, said, 0) });
    if (firedAt !== startedAt) steps.push({ at: firedAt!, words: "That had lasted long enough" });
    if (endedAt !== null) steps.push({ at: endedAt, words: "Over" });
  }
  if (steps.length === 0 && closest !== null && closest.value !== null) {
    const [condition, metric] = [rule.conditions[closest.condition]!, said[closest.condition]!];
    steps.push({
      at: closest.at,
      words: `The nearest: ${subjectOf(condition, metric)} was ${valueOf(condition, metric, closest.value)}`,
    });
  }
  return steps
    .filter(({ at }) => at >= from && at <= to)
    .sort((a, b) => a.at - b.at)
    .slice(0, MOST_STEPS);
}
