import { formatDuration } from "../duration";
import { MEASURES } from "./measure";
import type { Condition, Limit, RuleSpec, Selector, Severity } from "./rule";

/** What a condition looks at, before the name of its metric. */
export const WHAT_WORDS = {
  value: "",
  changePerMinute: "change per minute of ",
  minuteMean: "minute mean of ",
  minuteMin: "minute minimum of ",
  minuteMax: "minute maximum of ",
} as const;

/** Says a rule in one sentence. */
export function sentenceOf(spec: RuleSpec): string {
  switch (spec.kind) {
    case "condition": {
      const { conditions, match, of, forMs, keepMs } = spec;
      const parts = conditions.map(conditionWords);
      const clear = conditions.flatMap((one) => (one.clear === undefined ? [] : [clearWords(one, one.clear)]));
      const over =
        clear.length === 0 && keepMs === 0
          ? ""
          : `; over when ${clear.length === 0 ? "that has not been so" : clear.join(" and ")}${lasting(keepMs)}`;
      return `When ${parts.join(match === "all" ? " and " : " or ")} at ${devicesWords(of)}${lasting(forMs)}${over}.`;
    }
    case "silence":
      return `When one of ${devicesWords(spec.of)} is silent ${spec.afterMs === null ? "for longer than is usual for it" : `for ${formatDuration(spec.afterMs)}`} → ${spec.severity}.`;
    case "share-of-site":
      return `When ${percent(spec.share)} of a site's ${devicesWords(spec.of).replace(/^all devices/, "devices")}, and at least ${spec.atLeast}, fall silent within ${formatDuration(spec.withinMs)} → ${spec.severity}.`;
    case "quality":
      return `When the quality of ${devicesWords(spec.of)} is below ${spec.below}${lasting(spec.forMs)} → ${spec.severity}.`;
    case "oddness": {
      const { metric, of, above, forMs, keepMs, severity } = spec;
      const over = keepMs === 0 ? "" : `; over when that has not been so${lasting(keepMs)}`;
      const series = metric === "*" ? "any metric" : metric;
      return `When ${series} of ${devicesWords(of)} is more than ${above} times as far from usual as before${lasting(forMs)} → ${severity}${over}.`;
    }
    case "pipeline":
      return `When ${MEASURES[spec.measure].when(spec.limit ?? 0)}${lasting(spec.forMs)} → ${spec.severity}${spec.keepMs === 0 ? "" : `; over when that has not been so${lasting(spec.keepMs)}`}.`;
  }
}

function conditionWords({ metric, what, is, warning, critical, severity }: Condition): string {
  const of = `${WHAT_WORDS[what]}${metric === "*" ? "any metric" : metric}`;
  if (is === "invalid") return `${of} is outside of its valid range → ${severity ?? "warning"}`;
  if (is === "true" || is === "false") return `${of} is ${is} → ${severity ?? "warning"}`;
  const levels = [
    ...(warning === undefined ? [] : [`${wordsOf(is, warning)} → warning`]),
    ...(critical === undefined ? [] : [`${wordsOf(is, critical)} → critical`]),
  ];
  return `${of} is ${levels.join(", ")}`;
}

function wordsOf(is: Condition["is"], limit: Limit): string {
  if (Array.isArray(limit)) return `outside of ${limit[0]} to ${limit[1]}`;
  return is === "equals" ? String(limit) : `${is} ${limit}`;
}

/** The limit that was crossed for an alert to be this severe. */
export function limitOf({ warning, critical }: Condition, severity: Severity): Limit | undefined {
  return severity === "critical" ? (critical ?? warning) : (warning ?? critical);
}

/** What a condition asks of a value for an alert to be this severe: "above 95"; empty of true and false, which say it all. */
export function limitWords(condition: Condition, severity: Severity): string {
  const { is } = condition;
  if (is === "invalid") return "out of its valid range";
  if (is === "true" || is === "false") return "";
  const limit = limitOf(condition, severity);
  if (limit === undefined) return "";
  return is === "equals" && typeof limit === "number" ? `equal to ${limit}` : wordsOf(is, limit);
}

function clearWords({ metric, is }: Condition, clear: Limit): string {
  if (Array.isArray(clear)) return `${metric} is within ${clear[0]} to ${clear[1]}`;
  return `${metric} is ${is === "above" ? "below" : "above"} ${clear}`;
}

function devicesWords({ sites, types, devices, labels, without }: Selector): string {
  const marks = Object.entries(labels ?? {}).map(([key, value]) => `${key} ${value}`);
  const named = devices ? devices.join(", ") : types ? `devices of type ${types.join(", ")}` : "all devices";
  return [
    named,
    ...(devices && types ? [`of type ${types.join(", ")}`] : []),
    ...(marks.length > 0 ? [`with ${marks.join(", ")}`] : []),
    ...(sites ? [`at ${sites.join(", ")}`] : []),
    ...(without ? [`without ${without.join(", ")}`] : []),
  ].join(" ");
}

function lasting(ms: number): string {
  return ms === 0 ? "" : ` for ${formatDuration(ms)}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
