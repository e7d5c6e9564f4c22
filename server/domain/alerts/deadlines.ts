import type { EpochMs } from "../terms";
import { holdsUntil, type JudgedRule, minuteEnd } from "./condition";
import { type AlertState, FLAPPING_WITHIN_MS } from "./state";

/** Silence after which an alert is closed, as nobody will ever know whether it is over. */
const GONE_MS = 7 * 24 * 3_600_000;

type Deadline = { readonly time: EpochMs; readonly decides: "fire" | "critical" | "warning" | "resolve" | "gone" };

/** What is decided next if the conditions say nothing else until then; null: nothing. */
export function nextDeadline(state: AlertState, rule: JudgedRule): Deadline | null {
  const { phase, episode } = state;
  if (episode === null) return null;
  if (phase === "pending") return { time: episode.startedAt + rule.forMs, decides: "fire" };
  if (phase === "recovering") return { time: state.overSince! + state.keepMs, decides: "resolve" };
  if (episode.noDataSince !== null) return { time: episode.noDataSince + GONE_MS, decides: "gone" };
  if (state.level !== null && state.criticalSince !== null && episode.severity === "warning")
    return { time: state.criticalSince + rule.forMs, decides: "critical" };
  if (state.belowSince !== null) return { time: state.belowSince + rule.forMs, decides: "warning" };
  return null;
}

/** When something is decided after `after` without another reading, if none comes; null: nothing is. */
export function dueAt(state: AlertState, rule: JudgedRule, after: EpochMs = -Infinity): EpochMs | null {
  const { phase, episode, fires, seen } = state;
  if (phase === "normal") return fires.length === 0 ? null : fires.at(-1)! + FLAPPING_WITHIN_MS;
  const ends = seen.map(minuteEnd);
  const expiries = seen.map((one, i) => holdsUntil(one, rule.conditions[i]!));
  const deadline = nextDeadline(state, rule)?.time ?? null;
  const times: (EpochMs | null)[] = [deadline, ...ends];
  if (phase === "pending") {
    // Past its hold a value says nothing until there is another: then only the row is to go, some time.
    const until = Math.min(Infinity, ...expiries.filter((time) => time !== null));
    if (deadline! > until) times.shift();
    times.push(episode!.startedAt + GONE_MS);
  } else if (episode!.noDataSince === null) times.push(...expiries);
  const coming = times.filter((time) => time !== null && time > after && time < Infinity) as EpochMs[];
  return coming.length === 0 ? null : Math.min(...coming);
}
