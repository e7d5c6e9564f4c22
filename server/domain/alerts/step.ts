import type { EpochMs } from "../terms";
import { endMinute, type JudgedRule, minuteEnd, see, type Seen } from "./condition";
import { nextDeadline } from "./deadlines";
import { begin, end, fire, grade, note, relapse, rest, silentSince } from "./episode";
import { nextChange, type Signal, signalOf } from "./signal";
import {
  type AlertEvent,
  type AlertInput,
  type AlertState,
  type Draft,
  FLAPPING_WITHIN_MS,
  isLate,
  type Observe,
  restState,
} from "./state";

/** Readings in time, in a row, after which no data is news again: a device that is always slower than its hold is told of once. */
const STEADY_READINGS = 10;

/**
 * Decides: the only place where the state of an alert changes. What the state says depends on the readings and their event times alone,
 * not on how they come in batches. Late readings and ticks by which nothing changes leave it as it is.
 * @param observe is shown each look at the conditions, for whoever explains what came of it
 */
export function step(
  state: AlertState,
  input: AlertInput,
  rule: JudgedRule,
  observe?: Observe,
): readonly [state: AlertState, events: readonly AlertEvent[]] {
  const draft: Draft = { ...state };
  const events: AlertEvent[] = [];
  switch (input.kind) {
    case "reading":
      if (isLate(state, input.time)) return [state, events];
      advance(draft, input.time, rule, events, observe);
      read(draft, input, rule, events, observe);
      return [draft, events];
    case "tick":
      advance(draft, input.time, rule, events, observe);
      return events.length === 0 && draft.episode?.noDataSince === state.episode?.noDataSince
        ? [state, events]
        : [draft, events];
    case "heard":
      if (isLate(state, input.time)) return [state, events];
      if (draft.phase === "firing") end(draft, input.time, "resolved", events);
      draft.at = input.time;
      return [
        { ...silentSince(rule, input.time), fires: draft.fires.filter((at) => at > input.time - FLAPPING_WITHIN_MS) },
        events,
      ];
    case "close":
      if (draft.alertId !== null || draft.phase === "firing" || draft.phase === "recovering")
        end(draft, Math.max(input.time, draft.at ?? 0), "closed", events, input.reason);
      return [{ ...restState(rule, draft.seen), at: draft.at }, events];
  }
}

function read(
  state: Draft,
  { time, metrics, values }: Extract<AlertInput, { kind: "reading" }>,
  rule: JudgedRule,
  events: AlertEvent[],
  observe?: Observe,
): void {
  // A minute that ends right now and the reading of now are judged together.
  const seen = endMinutes(state.seen, time, rule);
  let isOf = false;
  for (let i = 0; i < rule.conditions.length; i++) {
    const condition = rule.conditions[i]!;
    const m = metrics.indexOf(condition.metric);
    if (m < 0) continue;
    isOf = true;
    seen[i] = see(seen[i]!, condition, time, values[m]!);
  }
  if (!isOf) return;
  if (state.sinceStale != null) {
    const inTime = state.episode?.noDataSince === null ? state.sinceStale + 1 : 0;
    state.sinceStale = inTime < STEADY_READINGS ? inTime : null;
  }
  state.seen = seen;
  state.at = time;
  const signal = signalOf(rule, seen, time, false, state.episode?.condition);
  observe?.({ time, cause: "reading", signal, state: { ...state } });
  take(state, time, signal, time, rule, events);
}

function endMinutes(seen: readonly Seen[], time: EpochMs, rule: JudgedRule): Seen[] {
  return seen.map((one, i) => (minuteEnd(one) === time ? endMinute(one, rule.conditions[i]!) : one));
}

/** Lets event time go on to `to`: values stop to hold, minutes end, deadlines pass, in their order. */
function advance(state: Draft, to: EpochMs, rule: JudgedRule, events: AlertEvent[], observe?: Observe): void {
  const from = state.at ?? 0;
  let past = from;
  for (;;) {
    const change = nextChange(rule, state.seen, past, to);
    decide(state, change?.time ?? to, rule, events);
    if (change === null) return;
    const { time, condition, isMinute } = change;
    let since = time;
    if (isMinute) {
      state.seen = endMinutes(state.seen, time, rule);
      const signal = signalOf(rule, state.seen, time, false, state.episode?.condition);
      observe?.({ time, cause: "minute", signal, state: { ...state } });
      take(state, time, signal, since, rule, events);
    } else {
      since = state.seen[condition]!.time!;
      const signal = signalOf(rule, state.seen, time, true, state.episode?.condition);
      observe?.({ time, cause: "expired", signal, state: { ...state } });
      take(state, time, signal, since, rule, events);
      past = time + 1;
    }
  }
}

/** Decides what is due up to `until`, while the values hold. */
function decide(state: Draft, until: EpochMs, rule: JudgedRule, events: AlertEvent[]): void {
  for (;;) {
    const deadline = nextDeadline(state, rule);
    if (deadline === null || deadline.time > until) return;
    const { time, decides } = deadline;
    if (decides === "fire") fire(state, time, rule, events);
    else if (decides === "resolve") end(state, state.overSince!, "resolved", events);
    else if (decides === "gone") end(state, time, "closed", events, "no data for 7 days");
    else grade(state, time, decides, events);
    state.at = Math.max(state.at ?? 0, time);
  }
}

/** Takes what the conditions say from `time` on. @param since of when the value is that stopped to hold */
function take(
  state: Draft,
  time: EpochMs,
  signal: Signal,
  since: EpochMs,
  rule: JudgedRule,
  events: AlertEvent[],
): void {
  const { level } = signal;
  state.level = level;
  state.over = signal.over;
  state.criticalSince = level === 2 ? (state.criticalSince ?? time) : null;
  switch (state.phase) {
    case "normal":
      if (level !== null && level > 0) begin(state, time, signal, rule);
      break;
    case "pending":
      if (level === null || level === 0) rest(state);
      else note(state, time, signal, rule);
      break;
    case "firing":
    case "recovering":
      hold(state, time, signal, since, rule, events);
      break;
  }
  decide(state, time, rule, events);
}

/** Takes what the conditions of a firing or recovering alert say. */
function hold(
  state: Draft,
  time: EpochMs,
  signal: Signal,
  since: EpochMs,
  rule: JudgedRule,
  events: AlertEvent[],
): void {
  const { level, over } = signal;
  if (over === true) {
    note(state, time, signal, rule);
    state.belowSince = null;
    if (state.phase === "firing") {
      state.phase = "recovering";
      state.overSince = time;
    }
    return;
  }
  if (level === null || over === null) {
    // Nothing says that it is over, nor that it isn't.
    if (state.phase === "recovering") [state.phase, state.overSince] = ["firing", null];
    state.belowSince = null;
    if (state.episode!.noDataSince !== null) return;
    state.episode = { ...state.episode!, noDataSince: since };
    // States that were stored before this was counted don't have it.
    const isNews = state.sinceStale == null;
    state.sinceStale = 0;
    if (isNews) events.push({ kind: "stale", at: time, value: state.episode.lastValue, episode: state.episode });
    return;
  }
  note(state, time, signal, rule);
  if (state.phase === "recovering") relapse(state);
  const isBelow = level < 2 && state.episode!.severity === "critical" && rule.least === "warning";
  state.belowSince = isBelow ? (state.belowSince ?? time) : null;
}
