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
    const { severity, noDataSince, lastValue, condition, metric } = replayed.episode!;
    const isSame = before.metric === undefined || before.metric === metric;
    const { startedAt, firedAt, flaps, flapping } = before;
    const episode: Episode = {
      // The values so far are of what is no condition any more, or doesn't stand for it.
      ...(isSame ? before : { ...replayed.episode!, startedAt, firedAt, flaps, flapping }),
      ...{ severity, noDataSince, lastValue },
      ...(condition !== undefined && { condition }),
      ...(metric !== undefined && { metric }),
    };
    events.push({ kind: "rule-changed", at, value: lastValue, episode });
    if (severity !== before.severity) events.push({ kind: "severity", at, value: lastValue, episode });
    return [{ ...replayed, episode, fires: state.fires, alertId: state.alertId }, events];
  }
  const closed: Draft = { ...state };
  end(closed, at, "closed", events, "rule changed");
  return [replayed, events];
}
