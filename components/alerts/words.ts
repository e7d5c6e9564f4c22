import type { Alert, ListedAlert } from "@/server/contracts/alerts";
import { readable } from "@/server/domain/readable";
import { MEASURES } from "@/server/domain/alerts/measure";
import type { Condition, RuleSpec } from "@/server/domain/alerts/rule";
import { limitOf, limitWords, WHAT_WORDS } from "@/server/domain/alerts/sentence";
import { formatDuration } from "@/server/domain/duration";
import { formatMeasure, formatMetric } from "../ui/format";
import type { Mark } from "../ui/state-mark";

/** What an alert is about, in the parts of its line: "temperature", "96.1", "°C", "above 95". */
export interface What {
  readonly subject: string;
  /** Null where there is no figure to tell. */
  readonly value: string | null;
  readonly unit: string;
  /** True where `value` is the worst there was: not what it is now. */
  readonly isWorst: boolean;
  /** What it is now, where that isn't `value` and is known of an alert that is open. */
  readonly now: string | null;
  /** What that goes against; empty where it isn't known. */
  readonly limit: string;
}

/** Words an alert. @param spec what its rule goes by; undefined while that isn't known */
export function whatOf(alert: Alert, spec: RuleSpec | undefined): What {
  const unit = alert.unit ?? "";
  const bare = { value: null, unit: "", limit: "", isWorst: false, now: null };
  if (spec?.kind === "silence") {
    const limit =
      spec.afterMs === null ? "longer than is usual for it" : `for more than ${formatDuration(spec.afterMs)}`;
    return { ...bare, subject: "Silent", limit };
  }
  if (spec?.kind === "quality") {
    const isNow = alert.endedAt === null && alert.lastValue !== null;
    const figure = figureOf(alert, isNow, (score) => formatMeasure(Math.floor(score)));
    return { ...bare, ...figure, subject: "Quality", limit: `below ${spec.below}` };
  }
  if (spec?.kind === "pipeline") {
    const { name, unit: measured } = MEASURES[spec.measure];
    const limit =
      spec.limit === undefined ? "" : `${spec.measure === "freeDiskPercent" ? "below" : "above"} ${spec.limit}`;
    if (measured === "") return { ...bare, subject: name, limit };
    const figure = figureOf(alert, false, formatMeasure);
    return { ...figure, subject: name, unit: figure.value === null ? "" : measured, limit };
  }
  if (alert.metric === null) return { ...bare, subject: alert.rule.name };
  if (spec?.kind === "oddness") {
    const figure = figureOf(alert, false, formatMeasure);
    return { ...bare, ...figure, subject: `Oddness of ${alert.metric}`, limit: `above ${spec.above}` };
  }
  const condition = spec?.kind === "condition" ? conditionOf(spec.conditions, alert) : undefined;
  // The value of now where that is why it fires; else the one that was.
  const isNow = alert.endedAt === null && isBeyond(condition, alert.severity, alert.lastValue);
  const isFlag = condition?.is === "true" || condition?.is === "false";
  const format = (value: number) => formatMetric(value, alert.decimals);
  const figure = figureOf(alert, isNow, isFlag ? (value) => (value === 0 ? "false" : "true") : format);
  return {
    ...figure,
    // A flag has no worst.
    ...(isFlag ? { isWorst: false, now: null } : {}),
    subject: `${condition ? WHAT_WORDS[condition.what] : ""}${alert.metric}`,
    unit: isFlag || figure.value === null ? "" : condition?.what === "changePerMinute" ? `${unit}/min` : unit,
    limit: condition ? limitWords(condition, alert.severity) : "",
  };
}

/** The figure of an alert: that of now where it is what it fires for, else the worst, which is called so, beside that of now. */
function figureOf(
  { endedAt, lastValue, worstValue }: Alert,
  isNow: boolean,
  format: (value: number) => string,
): Pick<What, "value" | "isWorst" | "now"> {
  const last = lastValue === null ? null : format(lastValue);
  const worst = worstValue === null ? null : format(worstValue);
  if (isNow || worst === null || (endedAt === null && worst === last))
    return { value: last, isWorst: false, now: null };
  return { value: worst, isWorst: true, now: endedAt === null ? last : null };
}

/** The same as one line, for titles and screen readers. */
export function whatText({ subject, value, unit, isWorst, now, limit }: What): string {
  const figure = value === null ? subject : `${subject} ${isWorst ? "worst " : ""}${value}${unit ? ` ${unit}` : ""}`;
  return [figure, now === null ? "" : `, now ${now}`, limit ? `${value === null ? "" : ","} ${limit}` : ""].join("");
}

/** The condition of a rule that an alert's values are of; undefined where that isn't known, or isn't so any more. */
export function conditionOf(
  conditions: readonly Condition[],
  { metric, condition }: Pick<Alert, "metric" | "condition">,
): Condition | undefined {
  if (condition === null) return conditions.length === 1 ? conditions[0] : undefined;
  const found = conditions[condition];
  return found?.metric === metric ? found : undefined;
}

/** The limits that a trend of an alert's metric is held against; none where its rule doesn't look at the values themselves. */
export function trendLimits(alert: Alert, spec: RuleSpec | undefined): readonly number[] {
  const condition = spec?.kind === "condition" ? conditionOf(spec.conditions, alert) : undefined;
  const limit = condition && condition.what !== "changePerMinute" ? limitOf(condition, alert.severity) : undefined;
  return limit === undefined ? [] : typeof limit === "number" ? [limit] : limit;
}

/** False where a value isn't what an alert of this severity fires for; true where nobody can tell. */
function isBeyond(condition: Condition | undefined, severity: Alert["severity"], value: number | null): boolean {
  const limit = condition && limitOf(condition, severity);
  if (value === null) return false;
  if (limit === undefined) return true;
  if (typeof limit !== "number") return value < limit[0] || value > limit[1];
  return condition?.is === "above" ? value > limit : condition?.is === "below" ? value < limit : true;
}

const UNTOLD = {
  silenced: { word: "silenced", title: "Nobody is told of it: it is silenced" },
  maintenance: { word: "maintenance", title: "Nobody is told of it: maintenance is under way" },
  inhibited: { word: "beneath its site's", title: "Nobody is told of it: it is beneath the alert of its site" },
  "no-route": { word: "nobody is told", title: "Nobody is told of it: no route takes it" },
  "channel-off": { word: "nobody is told", title: "Nobody is told of it: no channel of its route is on" },
} as const;

/** Why nobody would be told of an alert now, in short and in full; null where somebody would be, or it is over. */
export function untoldWords({ untold }: Pick<ListedAlert, "untold">): { word: string; title: string } | null {
  if (untold === null) return null;
  const { word, title } = UNTOLD[untold.why];
  return {
    word,
    title: untold.name === null || untold.why === "inhibited" ? title : `${title} (${readable(untold.name)})`,
  };
}

/** How an alert stands, as mark and word. */
export function standingOf(alert: Alert): readonly [mark: Mark, word: string] {
  if (alert.state === "resolved") return ["ok", "Resolved"];
  if (alert.state === "closed") return ["unknown", "Closed"];
  const word = alert.severity === "critical" ? "Critical" : "Warning";
  if (alert.acknowledged) return ["acknowledged", word];
  return [alert.severity === "critical" ? "failing" : "warning", word];
}

/** What else is to be known of an open alert at a glance. */
export function asideOf(alert: Alert): string {
  if (alert.endedAt !== null) return alert.closedReason ?? (alert.late ? "found late" : "");
  if (alert.noDataSince !== null) return "no data now";
  if (alert.flapping) return "flapping";
  return alert.state === "recovering" ? "recovering" : "";
}

/** Where what an alert is about is silenced. */
export function silenceAddress({ rule, device, site }: Alert): string {
  const of = device !== null ? { device } : site !== null ? { site } : {};
  return `/alerts/silences?${new URLSearchParams({ new: "1", rule: rule.name, ...of }).toString()}`;
}

/** True for a rule that watches nothing until a metric has a valid range. */
export function goesByValidRange(spec: RuleSpec): boolean {
  return spec.kind === "condition" && spec.conditions.some(({ is }) => is === "invalid");
}
