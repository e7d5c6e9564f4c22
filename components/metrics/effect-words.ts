import type { MetricEffects } from "@/server/contracts/metrics";
import { counted } from "@/server/domain/counted";
import { formatSeconds } from "../ui/format";

/** "1,200 readings of 3 devices". */
function storedWords({ devices, readings }: Pick<MetricEffects, "devices" | "readings">): string {
  if (devices === null || readings === null) return "all readings (too many to count now)";
  return `${counted(readings, "reading")} of ${counted(devices, "device")}`;
}

/** What renaming does, a line each. */
export function renameWords(name: string, to: string, effects: MetricEffects): string[] {
  return [`${to} has ${storedWords(effects)} at once; none is written anew.`, ...ruleWords(name, to, effects.rules)];
}

/** What merging does, a line each. */
export function mergeWords(name: string, into: string, effects: MetricEffects): string[] {
  return [
    `${into} gets ${storedWords(effects)}, values as they are.`,
    ...meetWords(into, effects),
    ...(effects.coldDays ? [`${counted(effects.coldDays, "day")} in cold storage are brought back for it.`] : []),
    ...ruleWords(name, into, effects.rules),
    effects.seconds === null
      ? "How long the job takes could not be told."
      : `The job takes about ${formatSeconds(Math.max(1, effects.seconds))}.`,
  ];
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
    ...(follows.length > 0
      ? [`${counted(follows.length, "alert rule goes", "alert rules go")} on: ${follows.join(", ")}.`]
      : []),
    ...(loses.length > 0
      ? [
          `${counted(loses.length, "alert rule has", "alert rules have")} a pattern that matches ${name}, but not ${to}: ${loses.join(", ")}.`,
        ]
      : []),
  ];
}
