import type { EpochMs } from "../terms";
import { distanceOf, type JudgedRule } from "./condition";
import type { Severity } from "./rule";
import type { Signal } from "./signal";
import { type AlertEvent, type AlertState, type Draft, type Episode, FLAPPING_WITHIN_MS, restState } from "./state";

/** Alerts of one rule and series within an hour from which on they are one that flaps. */
const FLAPPING_FROM = 5;
const FLAPPING_KEEP_MS = 60_000;
const LONGEST_KEEP_MS = 3_600_000;

/** The state of a device that was last heard of at `since`, for a rule whose `forMs` is the silence it may keep. */
export function silentSince(rule: JudgedRule, since: EpochMs): AlertState {
  const state: Draft = { ...restState(rule, []), at: since };
  begin(state, since, { level: rule.least === "critical" ? 2 : 1, over: false, leading: 0, value: null }, rule);
  return state;
}

/** Begins an episode, which is pending. */
export function begin(state: Draft, time: EpochMs, { level, leading, value }: Signal, rule: JudgedRule): void {
  state.phase = "pending";
  state.level = level;
  state.criticalSince = level === 2 ? time : null;
  // Written out, here and below: with spreads a noisy series takes three times as long.
  state.episode = {
    startedAt: time,
    firedAt: null,
    endedAt: null,
    severity: level === 2 ? "critical" : "warning",
    condition: leading,
    metric: rule.conditions[leading]?.metric ?? 0,
    firstValue: value,
    worstValue: value,
    worstAt: value === null ? null : time,
    lastValue: value,
    flaps: 0,
    flapping: false,
    noDataSince: null,
  };
}

/** Notes the values of an episode. */
export function note(state: Draft, time: EpochMs, { leading, value }: Signal, rule: JudgedRule): void {
  const episode = state.episode!;
  if (value === null) return;
  const condition = rule.conditions[leading]!;
  // Values of different conditions can't be compared.
  const isOther = rule.conditions.length > 1 && episode.condition !== leading;
  const isWorse =
    isOther || episode.worstValue === null || distanceOf(condition, value) > distanceOf(condition, episode.worstValue);
  const next: { -readonly [K in keyof Episode]: Episode[K] } = { ...episode };
  if (isOther) [next.condition, next.metric, next.firstValue] = [leading, condition.metric, value];
  next.lastValue = value;
  next.noDataSince = null;
  if (isWorse) [next.worstValue, next.worstAt] = [value, time];
  state.episode = next;
}

/** It was true for long enough: its alert fires. */
export function fire(state: Draft, time: EpochMs, rule: JudgedRule, events: AlertEvent[]): void {
  const { startedAt } = state.episode!;
  // What was critical only in the end becomes so when that has lasted as long.
  const isCritical = state.criticalSince !== null && state.criticalSince <= startedAt;
  const severity: Severity = isCritical || rule.least === "critical" ? "critical" : "warning";
  state.phase = "firing";
  state.fires = [...state.fires.filter((fired) => fired > time - FLAPPING_WITHIN_MS), time].slice(-FLAPPING_FROM);
  const flapping = state.fires.length >= FLAPPING_FROM;
  state.keepMs = flapping ? Math.min(2 * Math.max(rule.keepMs, FLAPPING_KEEP_MS), LONGEST_KEEP_MS) : rule.keepMs;
  state.episode = { ...state.episode!, firedAt: time, severity, flapping };
  const { lastValue: value } = state.episode;
  events.push({ kind: "fired", at: time, value, episode: state.episode });
  if (flapping) events.push({ kind: "flapping", at: time, value, episode: state.episode });
}

/** Another severity holds. */
export function grade(state: Draft, time: EpochMs, severity: Severity, events: AlertEvent[]): void {
  state.episode = { ...state.episode!, severity };
  state.belowSince = null;
  events.push({ kind: "severity", at: time, value: state.episode.lastValue, episode: state.episode });
}

/** Ends an alert, over or not. @param time when it ended @param reason why it is closed */
export function end(
  state: Draft,
  time: EpochMs,
  kind: "resolved" | "closed",
  events: AlertEvent[],
  reason?: string,
): void {
  const episode: Episode = { ...state.episode!, endedAt: time };
  const { lastValue: value } = episode;
  if (kind === "resolved" && episode.flapping) {
    events.push({ kind: "steady", at: time, value, episode });
    state.fires = [];
  }
  events.push({ kind, at: time, value, episode, ...(reason !== undefined && { reason }) });
  rest(state);
  if (kind === "closed") state.fires = [];
}

/** Leaves nothing of an episode. */
export function rest(state: Draft): void {
  state.phase = "normal";
  state.criticalSince = state.belowSince = state.overSince = null;
  state.episode = null;
  state.sinceStale = null;
  state.alertId = null;
}

/** It was nearly over, and is not: while it flaps it has to be over for longer each time. */
export function relapse(state: Draft): void {
  [state.phase, state.overSince] = ["firing", null];
  state.episode = { ...state.episode!, flaps: state.episode!.flaps + 1 };
  if (state.episode.flapping) state.keepMs = Math.min(2 * state.keepMs, LONGEST_KEEP_MS);
}
