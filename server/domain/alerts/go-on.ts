import type { EpochMs } from "../terms";
import { end } from "./episode";
import type { AlertEvent, AlertState, Draft, Episode } from "./state";

/**
 * Goes on under a changed rule. @param state as the rule of before left it. @param replayed as the new rule sees the same readings
 * @returns the alert of before where it is still one, and else closes it: a change of the rule resolves nothing.
 */
export function goOn(
  state: AlertState,
  replayed: AlertState,
  at: EpochMs,
): readonly [state: AlertState, events: readonly AlertEvent[]] {
  const events: AlertEvent[] = [];
  const before = state.alertId === null ? null : state.episode;
  if (before === null) return [replayed, events];
  if (replayed.phase === "firing" || replayed.phase === "recovering") {
    const { severity, noDataSince, lastValue } = replayed.episode!;
    const episode: Episode = { ...before, severity, noDataSince, lastValue };
    events.push({ kind: "rule-changed", at, value: lastValue, episode });
    if (severity !== before.severity) events.push({ kind: "severity", at, value: lastValue, episode });
    return [{ ...replayed, episode, fires: state.fires, alertId: state.alertId }, events];
  }
  const closed: Draft = { ...state };
  end(closed, at, "closed", events, "rule changed");
  return [replayed, events];
}
