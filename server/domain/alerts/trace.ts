import type { EpochMs } from "../terms";
import { type Bounds, distanceOf, holdsUntil, type JudgedCondition, type JudgedRule } from "./condition";
import { type AlertEvent, type AlertState, type Episode, type Look, restState } from "./state";
import { step } from "./step";

/** Readings of one event time, as the machine takes them. */
export interface TracedSample {
  readonly time: EpochMs;
  readonly metrics: readonly number[];
  readonly values: readonly number[];
}

/** A time that a rule was true, and didn't fire. */
export interface Try {
  readonly since: EpochMs;
  /** When it ended, or up to when it was looked at. */
  readonly until: EpochMs;
  /** false: something says that it isn't so any more. gap: nothing says that it is. open: it may still fire. */
  readonly ended: "false" | "gap" | "open";
  /** The condition that ended it, and its value then, or the last one before the gap. */
  readonly condition: number;
  readonly value: number;
  /** Event time of that value. */
  readonly valueAt: EpochMs;
  /** The value of the leading condition farthest beyond its limits. */
  readonly worst: number | null;
  readonly leading: number;
}

/** The nearest that a rule came to being true. */
interface Closest {
  /** The condition that kept it from being true. */
  readonly condition: number;
  /** Its value; null: nobody knew it then. */
  readonly value: number | null;
  readonly at: EpochMs;
  /** Conditions that were true then. */
  readonly others: number;
}

/** What the machine saw of a stretch. */
export interface Trace {
  /** Each time that it fired, with its last events in it. */
  readonly episodes: readonly Episode[];
  readonly tries: readonly Try[];
  /** Null: it was true at some time, or there is no reading. */
  readonly closest: Closest | null;
  /** Looks within the stretch. */
  readonly looks: number;
  readonly state: AlertState;
}

/**
 * Runs the machine over readings in the order in which they come, and notes what came of it. Late ones change nothing, as live.
 * @param from looks from here on count as the nearest; what lies before is what the machine knows by then
 * @param to the event time up to which it is run
 */
export function traceRule(rule: JudgedRule, samples: readonly TracedSample[], from: EpochMs, to: EpochMs): Trace {
  let state = restState(rule);
  const fired = new Map<EpochMs, Episode>();
  const tries: Try[] = [];
  let closest: (Closest & { readonly distance: number }) | null = null;
  let looks = 0;
  const observe = (look: Look) => {
    const { time, cause, signal } = look;
    if (time >= from && cause !== "expired") looks++;
    const { phase, episode } = look.state;
    if (phase === "pending" && !(signal.level !== null && signal.level > 0)) tries.push(tryOf(rule, episode!, look));
    if (time < from || time > to || cause === "expired" || (signal.level ?? 0) > 0) return;
    const near = nearest(rule, look);
    if (near === null) return;
    const isNearer = closest === null || near.others > closest.others || near.distance > closest.distance;
    if (isNearer && (closest === null || near.others >= closest.others)) closest = near;
  };
  const take = (events: readonly AlertEvent[]) => {
    for (const { episode } of events) if (episode.firedAt !== null) fired.set(episode.firedAt, episode);
  };
  for (const sample of samples) {
    if (!rule.conditions.some(({ metric }) => sample.metrics.includes(metric))) continue;
    const [next, events] = step(state, { kind: "reading", ...sample }, rule, observe);
    state = next;
    take(events);
  }
  // A tick by which nothing is decided changes nothing: what it looked at is told by `observe` alone.
  const before = tries.length;
  const [next, events] = step(state, { kind: "tick", time: to }, rule, observe);
  take(events);
  if (next.phase === "pending" && tries.length === before) tries.push(openTry(next, to));
  const { distance: _, ...near } = closest ?? { distance: 0, condition: 0, value: null, at: 0, others: 0 };
  return {
    episodes: [...fired.values()],
    tries,
    closest: closest === null ? null : near,
    looks,
    state: next,
  };
}

function tryOf(rule: JudgedRule, episode: Episode, { time, cause, signal, state }: Look): Try {
  const { startedAt: since, worstValue: worst, condition: leading = 0 } = episode;
  const base = { since, until: time, worst, leading };
  const isGap = signal.level === null || (cause === "expired" && signal.level === 0);
  let condition = 0;
  rule.conditions.forEach((one, i) => {
    const seen = state.seen[i]!;
    const until = holdsUntil(seen, one);
    const isKnown = until !== null && (cause === "expired" ? until > time : until >= time);
    if (isGap ? !isKnown : isKnown && !isTrue(one, seen.value, rule.least)) condition = i;
  });
  const { time: valueAt, value } = state.seen[condition]!;
  return { ...base, ended: isGap ? "gap" : "false", condition, value, valueAt: valueAt ?? time };
}

function openTry(state: AlertState, until: EpochMs): Try {
  const { startedAt: since, worstValue: worst, condition: leading = 0 } = state.episode!;
  const { time, value } = state.seen[leading]!;
  return { since, until, ended: "open", condition: leading, value, valueAt: time ?? until, worst, leading };
}

/** Whether a value alone is beyond the least limit. */
function isTrue(condition: JudgedCondition, value: number, least: JudgedRule["least"]): boolean {
  const bounds = leastBounds(condition, least);
  if (bounds === null) return false;
  return condition.equals ? value === bounds[0] : value < bounds[0] || value > bounds[1];
}

/** The limits beyond which a condition is true at all. */
export function leastBounds({ warning, critical }: JudgedCondition, least: JudgedRule["least"]): Bounds | null {
  return least === "warning" ? (warning ?? critical) : critical;
}

function nearest(rule: JudgedRule, { time, state }: Look): (Closest & { readonly distance: number }) | null {
  let others = 0;
  let found: { condition: number; value: number | null; distance: number } | null = null;
  rule.conditions.forEach((condition, i) => {
    const seen = state.seen[i]!;
    const until = holdsUntil(seen, condition);
    if (until === null || until < time) {
      // Of all, what nobody knows is farther than any value; of any, it is passed over.
      if (rule.match === "all") found = { condition: i, value: null, distance: -Infinity };
      return;
    }
    if (isTrue(condition, seen.value, rule.least)) return void others++;
    const distance = relativeDistance(condition, seen.value, rule.least);
    const isIt = found === null || (rule.match === "all" ? distance < found.distance : distance > found.distance);
    if (isIt) found = { condition: i, value: seen.value, distance };
  });
  return found === null
    ? null
    : { ...(found as { condition: number; value: number | null; distance: number }), at: time, others };
}

/** How far a value lies within the limits, in parts of the limit where several metrics are compared; at most 0. */
function relativeDistance(condition: JudgedCondition, value: number, least: JudgedRule["least"]): number {
  const bounds = leastBounds(condition, least);
  if (bounds === null) return -Infinity;
  const size = Math.max(1e-9, ...bounds.filter(Number.isFinite).map(Math.abs));
  if (condition.equals) return -Math.abs(value - bounds[0]) / size;
  return distanceOf({ ...condition, warning: bounds, critical: null }, value) / size;
}
