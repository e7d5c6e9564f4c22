import type { MetricEffects } from "@/server/contracts/metrics";
import type { NamingEffects } from "@/server/contracts/names";
import { counted } from "@/server/domain/counted";
import { formatSeconds } from "../ui/format";

/** "1,200 readings of 3 devices". */
function storedWords({ devices, readings }: Pick<MetricEffects, "devices" | "readings">): string {
  if (devices === null || readings === null) return "all readings (too many to count now)";
  return `${counted(readings, "reading")} of ${counted(devices, "device")}`;
}

/** What renaming does, a line each. */
export function renameWords(name: string, to: string, effects: MetricEffects): string[] {
  return [
    `${to} has ${storedWords(effects)} at once; none is written anew.`,
    ...ruleWords(name, to, effects.rules),
    ...viewWords(effects.views),
  ];
}

/** What merging does, a line each. */
export function mergeWords(name: string, into: string, effects: MetricEffects): string[] {
  return [
    `${into} gets ${storedWords(effects)}, values as they are.`,
    ...meetWords(into, effects),
    ...(effects.coldDays ? [`${counted(effects.coldDays, "day")} in cold storage are brought back for it.`] : []),
    ...ruleWords(name, into, effects.rules),
    ...viewWords(effects.views),
    effects.seconds === null
      ? "How long the job takes could not be told."
      : `The job takes about ${formatSeconds(Math.max(1, effects.seconds))}.`,
  ];
}

/** What another name for a site or type does, a line each. */
export function namingWords(to: string, { devices, rules, matchers, retention, views }: NamingEffects): string[] {
  const others = [
    ...(matchers > 0
      ? [counted(matchers, "route, silence or maintenance time", "routes, silences and maintenance times")]
      : []),
    ...(retention > 0 ? [counted(retention, "retention rule")] : []),
  ];
  return [
    `${counted(devices, "device is", "devices are")} of ${to} at once, with all that is stored of them.`,
    ...goOn("alert rule", rules),
    ...(others.length > 0 ? [`${others.join(" and ")} ${matchers + retention === 1 ? "goes" : "go"} on.`] : []),
    ...viewWords(views),
  ];
}

function viewWords(views: readonly string[]): string[] {
  return goOn("saved view", views);
}

function goOn(what: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${counted(names.length, `${what} goes`, `${what}s go`)} on: ${names.join(", ")}.`];
}

function meetWords(into: string, { both, repeats, conflicts }: MetricEffects): string[] {
  if (both === 0) return ["No device has readings of both."];
  if (both === null || repeats === null || conflicts === null)
    return [`How many readings meet one of ${into} could not be counted; its own stay.`];
  const met = repeats + conflicts;
  if (met === 0) return [`${counted(both, "device has", "devices have")} readings of both, none at the same time.`];
  const same = repeats === 0 ? "" : `, ${counted(repeats, "reading")} with the same value`;
  return [
    `${counted(met, "reading")} of ${counted(both, "device")} ${met === 1 ? "meets" : "meet"} one of ${into} at the same time, which stays${same}.`,
    ...(conflicts > 0 ? [`${counted(conflicts, "conflict")}: another value, which is lost.`] : []),
  ];
}

function ruleWords(name: string, to: string, rules: MetricEffects["rules"]): string[] {
  const named = (becomes: MetricEffects["rules"][number]["becomes"]) =>
    rules.filter((rule) => rule.becomes === becomes).map((rule) => rule.name);
  const [follows, loses] = [named("follows"), named("loses")];
  return [
    ...goOn("alert rule", follows),
    ...(loses.length > 0
      ? [
          `${counted(loses.length, "alert rule has", "alert rules have")} a pattern that matches ${name}, but not ${to}: ${loses.join(", ")}.`,
        ]
      : []),
  ];
}
