import type { EpochMs } from "../terms";
import {
  distanceOf,
  endMinute,
  holdsUntil,
  type JudgedRule,
  type Level,
  minuteEnd,
  see,
  type Seen,
  UNSEEN,
} from "./condition";
import type { Severity } from "./rule";
import { nextChange, type Signal, signalOf } from "./signal";

const HOUR = 3_600_000;
/** Silence after which an alert is closed, as nobody will ever know whether it is over. */
const GONE_MS = 7 * 24 * HOUR;
/** Alerts of one rule and series within an hour from which on they are one that flaps. */
const FLAPPING_FROM = 5;
const FLAPPING_KEEP_MS = 60_000;
const LONGEST_KEEP_MS = HOUR;
/** Readings in time, in a row, after which no data is news again: a device that is always slower than its hold is told of once. */
const STEADY_READINGS = 10;

type Phase = "normal" | "pending" | "firing" | "recovering";

type EventKind = "fired" | "severity" | "resolved" | "flapping" | "steady" | "stale" | "closed" | "rule-changed";

/** One time that a rule was true, from the first value on. All times are event times. */
export interface Episode {
  readonly startedAt: EpochMs;
  /** Null while it hasn't lasted long enough. */
  readonly firedAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
  readonly severity: Severity;
  readonly firstValue: number | null;
  readonly worstValue: number | null;
  readonly worstAt: EpochMs | null;
  readonly lastValue: number | null;
  /** How often it was nearly over. */
  readonly flaps: number;
  readonly flapping: boolean;
  readonly noDataSince: EpochMs | null;
}

/** Where a rule stands for a device, or one of its series. Plain data. */
export interface AlertState {
  readonly phase: Phase;
  /** Event time of the last reading, or of what was decided since: a reading before it is late. Null: there is none. */
  readonly at: EpochMs | null;
  /** The newest values, by condition. */
  readonly seen: readonly Seen[];
  readonly level: Level | null;
  readonly over: boolean | null;
  /** Since when without a break: it is critical; it is less than that, though the alert is critical; it is over. */
  readonly criticalSince: EpochMs | null;
  readonly belowSince: EpochMs | null;
  readonly overSince: EpochMs | null;
  /** Pending, firing and recovering ones have one. */
  readonly episode: Episode | null;
  /** How long it has to be over: the rule's, or longer while it flaps. */
  readonly keepMs: number;
  /** When the last ones fired. */
  readonly fires: readonly EpochMs[];
  /** How many readings in a row came in time since it was told that there is no data; null: it wasn't, or that is over. */
  readonly sinceStale: number | null;
  /** Names the alert of a firing or recovering episode; whoever stores alerts sets it. */
  readonly alertId: string | null;
}

export type AlertInput =
  /** Readings of one event time: metrics by id, values side by side. */
  | {
      readonly kind: "reading";
      readonly time: EpochMs;
      readonly metrics: readonly number[];
      readonly values: readonly number[];
    }
  /** Nothing came up to this event time. */
  | { readonly kind: "tick"; readonly time: EpochMs }
  /** A device that is watched for its silence was heard of. */
  | { readonly kind: "heard"; readonly time: EpochMs }
  /** It is watched no more: the rule or the device is gone. */
  | { readonly kind: "close"; readonly time: EpochMs; readonly reason: string };

export interface AlertEvent {
  readonly kind: EventKind;
  readonly at: EpochMs;
  readonly value: number | null;
  /** The episode as the event leaves it. */
  readonly episode: Episode;
  readonly reason?: string;
  /** Of a site: so many of its devices were silent. */
  readonly share?: { readonly silent: number; readonly of: number };
}

/** What the conditions say from a time on, and why it may be something else than before. */
export interface Look {
  readonly time: EpochMs;
  /** A reading came, a minute was over, or a value held no longer. */
  readonly cause: "reading" | "minute" | "expired";
  readonly signal: Signal;
  /** Before it is acted on; with the newest values. */
  readonly state: AlertState;
}

type Observe = (look: Look) => void;

type Draft = { -readonly [K in keyof AlertState]: AlertState[K] };

/** The state of what is normal. @param seen the newest values, by condition. */
export function restState(rule: JudgedRule, seen: readonly Seen[] = rule.conditions.map(() => UNSEEN)): AlertState {
  let at: EpochMs | null = null;
  for (const { time, raw, minute } of seen) {
    const last = Math.max(time ?? -Infinity, raw?.time ?? -Infinity, minute?.start ?? -Infinity);
    if (last > (at ?? -Infinity)) at = last;
  }
  return {
    ...{ phase: "normal", at, seen, level: null, over: null },
    ...{ criticalSince: null, belowSince: null, overSince: null, episode: null },
    ...{ keepMs: rule.keepMs, fires: [], sinceStale: null, alertId: null },
  };
}

/** The state of a device that was last heard of at `since`, for a rule whose `forMs` is the silence it may keep. */
export function silentSince(rule: JudgedRule, since: EpochMs): AlertState {
  const state: Draft = { ...restState(rule, []), at: since };
  begin(state, since, { level: rule.least === "critical" ? 2 : 1, over: false, leading: 0, value: null });
  return state;
}

/** True if a reading of this time comes after the state was decided without it: it changes nothing there. */
export function isLate(state: AlertState, time: EpochMs): boolean {
  return state.at !== null && time < state.at;
}

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
      return [{ ...silentSince(rule, input.time), fires: draft.fires.filter((at) => at > input.time - HOUR) }, events];
    case "close":
      if (draft.alertId !== null || draft.phase === "firing" || draft.phase === "recovering")
        end(draft, Math.max(input.time, draft.at ?? 0), "closed", events, input.reason);
      return [{ ...restState(rule, draft.seen), at: draft.at }, events];
  }
}

/** When something is decided after `after` without another reading, if none comes; null: nothing is. */
export function dueAt(state: AlertState, rule: JudgedRule, after: EpochMs = -Infinity): EpochMs | null {
  const { phase, episode, fires, seen } = state;
  if (phase === "normal") return fires.length === 0 ? null : fires.at(-1)! + HOUR;
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

/** True for a state that is as good as none. */
export function isRest({ phase, fires, at }: AlertState, now: EpochMs = at ?? 0): boolean {
  return phase === "normal" && (fires.length === 0 || fires.at(-1)! + HOUR <= now);
}

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
  const signal = signalOf(rule, seen, time, false);
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
      const signal = signalOf(rule, state.seen, time, false);
      observe?.({ time, cause: "minute", signal, state: { ...state } });
      take(state, time, signal, since, rule, events);
    } else {
      since = state.seen[condition]!.time!;
      const signal = signalOf(rule, state.seen, time, true);
      observe?.({ time, cause: "expired", signal, state: { ...state } });
      take(state, time, signal, since, rule, events);
      past = time + 1;
    }
  }
}

type Deadline = { readonly time: EpochMs; readonly decides: "fire" | "critical" | "warning" | "resolve" | "gone" };

function nextDeadline(state: AlertState, rule: JudgedRule): Deadline | null {
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
      if (level !== null && level > 0) begin(state, time, signal);
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
  if (state.phase === "recovering") {
    [state.phase, state.overSince] = ["firing", null];
    state.episode = { ...state.episode!, flaps: state.episode!.flaps + 1 };
    if (state.episode.flapping) state.keepMs = Math.min(2 * state.keepMs, LONGEST_KEEP_MS);
  }
  const isBelow = level < 2 && state.episode!.severity === "critical" && rule.least === "warning";
  state.belowSince = isBelow ? (state.belowSince ?? time) : null;
}

function begin(state: Draft, time: EpochMs, { level, value }: Signal): void {
  state.phase = "pending";
  state.level = level;
  state.criticalSince = level === 2 ? time : null;
  // Written out, here and below: with spreads a noisy series takes three times as long.
  state.episode = {
    startedAt: time,
    firedAt: null,
    endedAt: null,
    severity: level === 2 ? "critical" : "warning",
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
function note(state: Draft, time: EpochMs, { leading, value }: Signal, rule: JudgedRule): void {
  const episode = state.episode!;
  if (value === null) return;
  const condition = rule.conditions[leading]!;
  const isWorse =
    episode.worstValue === null || distanceOf(condition, value) > distanceOf(condition, episode.worstValue);
  const next: { -readonly [K in keyof Episode]: Episode[K] } = { ...episode };
  next.lastValue = value;
  next.noDataSince = null;
  if (isWorse) [next.worstValue, next.worstAt] = [value, time];
  state.episode = next;
}

function fire(state: Draft, time: EpochMs, rule: JudgedRule, events: AlertEvent[]): void {
  const { startedAt } = state.episode!;
  // What was critical only in the end becomes so when that has lasted as long.
  const isCritical = state.criticalSince !== null && state.criticalSince <= startedAt;
  const severity: Severity = isCritical || rule.least === "critical" ? "critical" : "warning";
  state.phase = "firing";
  state.fires = [...state.fires.filter((fired) => fired > time - HOUR), time].slice(-FLAPPING_FROM);
  const flapping = state.fires.length >= FLAPPING_FROM;
  state.keepMs = flapping ? Math.min(2 * Math.max(rule.keepMs, FLAPPING_KEEP_MS), LONGEST_KEEP_MS) : rule.keepMs;
  state.episode = { ...state.episode!, firedAt: time, severity, flapping };
  const { lastValue: value } = state.episode;
  events.push({ kind: "fired", at: time, value, episode: state.episode });
  if (flapping) events.push({ kind: "flapping", at: time, value, episode: state.episode });
}

function grade(state: Draft, time: EpochMs, severity: Severity, events: AlertEvent[]): void {
  state.episode = { ...state.episode!, severity };
  state.belowSince = null;
  events.push({ kind: "severity", at: time, value: state.episode.lastValue, episode: state.episode });
}

function end(state: Draft, time: EpochMs, kind: "resolved" | "closed", events: AlertEvent[], reason?: string): void {
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

function rest(state: Draft): void {
  state.phase = "normal";
  state.criticalSince = state.belowSince = state.overSince = null;
  state.episode = null;
  state.sinceStale = null;
  state.alertId = null;
}
