import type { EpochMs } from "../terms";
import type { Limit, Severity, WHATS } from "./rule";

/** The severity that values are of: 0 none, 1 warning, 2 critical. */
export type Level = 0 | 1 | 2;

/** What a condition watches: the values of a metric as they are, how they change, or those of whole minutes. */
type What = (typeof WHATS)[number];

/** A condition as it is judged for one device: metrics by their ids, limits as bounds. */
export interface JudgedCondition {
  readonly metric: number;
  /** Its place among the conditions of its rule, from 0: a device that lacks a metric is judged by fewer. */
  readonly place: number;
  readonly what: What;
  /** Beyond these, warning and critical; a value equal to a bound is within. `equals`: at the bounds instead. */
  readonly warning: Bounds | null;
  readonly critical: Bounds | null;
  /** Inside of these it is over; null: wherever it is neither. */
  readonly clear: Bounds | null;
  readonly equals: boolean;
  /** Milliseconds for which a value holds without another. */
  readonly holdMs: number;
}

export type Bounds = readonly [low: number, high: number];

/** What a rule decides by for one device. */
export interface JudgedRule {
  readonly match: "all" | "any";
  readonly conditions: readonly JudgedCondition[];
  readonly forMs: number;
  readonly keepMs: number;
  /** The least severity it has. */
  readonly least: Severity;
}

/** A value's level, and whether with it an alert is over. */
export interface Verdict {
  readonly level: Level;
  readonly over: boolean;
}

export function boundsOf(is: "above" | "below" | "outside" | "equals", limit: Limit | undefined): Bounds | null {
  if (limit === undefined) return null;
  if (Array.isArray(limit)) return limit;
  if (is === "above") return [-Infinity, limit];
  return is === "below" ? [limit, Infinity] : [limit, limit];
}

/** Judges a value by itself. */
export function verdictOf({ warning, critical, clear, equals }: JudgedCondition, value: number): Verdict {
  const level = crosses(critical, value, equals) ? 2 : crosses(warning, value, equals) ? 1 : 0;
  if (level > 0 || clear === null) return { level, over: level === 0 };
  return { level, over: clear[0] < value && value < clear[1] };
}

function crosses(bounds: Bounds | null, value: number, equals: boolean): boolean {
  if (bounds === null) return false;
  return equals ? value === bounds[0] : value < bounds[0] || value > bounds[1];
}

/** How far a value lies beyond the limits; the worst of an alert is the farthest. */
export function distanceOf({ warning, critical, equals }: JudgedCondition, value: number): number {
  const bounds = warning ?? critical;
  if (equals || bounds === null) return 0;
  return Math.max(bounds[0] - value, value - bounds[1]);
}

/**
 * The values that change nothing while a series is normal: none of `conditions` is true in between, nor at the ends.
 * @returns null when there are none, or it isn't the value alone that counts.
 */
export function quietBand(conditions: readonly JudgedCondition[]): Bounds | null {
  let low = -Infinity;
  let high = Infinity;
  for (const { what, warning, critical, equals } of conditions) {
    if (what !== "value") return null;
    const bounds = warning ?? critical;
    if (bounds === null) continue;
    if (equals) {
      // Booleans: all but the one value is quiet; among numbers the side on which 0 or 1 isn't would do as well.
      for (const one of [warning, critical]) {
        if (one === null) continue;
        if (one[0] > 0) high = Math.min(high, below(one[0]));
        else low = Math.max(low, above(one[0]));
      }
      continue;
    }
    low = Math.max(low, bounds[0]);
    high = Math.min(high, bounds[1]);
  }
  return low <= high ? [low, high] : null;
}

function below(value: number): number {
  return value - Math.max(Math.abs(value) * Number.EPSILON, Number.MIN_VALUE);
}

function above(value: number): number {
  return value + Math.max(Math.abs(value) * Number.EPSILON, Number.MIN_VALUE);
}

/** The newest value of a condition's metric. */
export interface Seen {
  /** Event time from which `value` holds; null: there is none yet. */
  readonly time: EpochMs | null;
  readonly value: number;
  /** Of a change: the reading before. Of minutes: the one that isn't over. */
  readonly raw: { readonly time: EpochMs; readonly value: number } | null;
  readonly minute: Minute | null;
}

interface Minute {
  readonly start: EpochMs;
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

export const UNSEEN: Seen = { time: null, value: 0, raw: null, minute: null };
const MINUTE = 60_000;

/** Takes a reading in. */
export function see(seen: Seen, { what, holdMs }: JudgedCondition, time: EpochMs, value: number): Seen {
  if (what === "value") return { time, value, raw: null, minute: null };
  if (what === "changePerMinute") {
    const { raw } = seen;
    const next = { time, value };
    if (raw === null || time <= raw.time || time - raw.time > holdMs) return { ...UNSEEN, raw: next };
    return { time, value: ((value - raw.value) / (time - raw.time)) * MINUTE, raw: next, minute: null };
  }
  const start = time - (time % MINUTE);
  const { minute } = seen;
  if (minute === null || minute.start !== start)
    return { ...seen, minute: { start, count: 1, sum: value, min: value, max: value } };
  const { count, sum, min, max } = minute;
  return {
    ...seen,
    minute: { start, count: count + 1, sum: sum + value, min: Math.min(min, value), max: Math.max(max, value) },
  };
}

/** When the minute under way is over; null: none is. */
export function minuteEnd({ minute }: Seen): EpochMs | null {
  return minute === null ? null : minute.start + MINUTE;
}

/** Ends the minute under way: its value holds from then on. */
export function endMinute(seen: Seen, { what }: JudgedCondition): Seen {
  const { start, count, sum, min, max } = seen.minute!;
  const value = what === "minuteMean" ? sum / count : what === "minuteMin" ? min : max;
  return { time: start + MINUTE, value, raw: null, minute: null };
}

/** Until when, inclusive, a value holds; null: there is none. */
export function holdsUntil({ time }: Seen, { what, holdMs }: JudgedCondition): EpochMs | null {
  if (time === null) return null;
  // The minute after this one has to end before it can be known.
  const isMinute = what !== "value" && what !== "changePerMinute";
  return time + holdMs + (isMinute ? MINUTE : 0);
}
