import type { EpochMs } from "../terms";
import { type JudgedRule, type Level, type Seen, UNSEEN } from "./condition";
import type { Severity } from "./rule";
import type { Signal } from "./signal";

/** For so long an alert counts towards flapping, in milliseconds. */
export const FLAPPING_WITHIN_MS = 3_600_000;

type Phase = "normal" | "pending" | "firing" | "recovering";

type EventKind = "fired" | "severity" | "resolved" | "flapping" | "steady" | "stale" | "closed" | "rule-changed";

/** One time that a rule was true, from the first value on. All times are event times. */
export interface Episode {
  readonly startedAt: EpochMs;
  /** Null while it hasn't lasted long enough. */
  readonly firedAt: EpochMs | null;
  readonly endedAt: EpochMs | null;
  readonly severity: Severity;
  /**
   * The condition that its values are of, among those it is judged by, and that one's metric. Another one takes its place when it is more severe; its
   * values are of that one alone from then on. Not in what was stored before this was kept.
   */
  readonly condition?: number;
  readonly metric?: number;
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

export type Observe = (look: Look) => void;

/** A state that is being worked on. */
export type Draft = { -readonly [K in keyof AlertState]: AlertState[K] };

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

/** True if a reading of this time comes after the state was decided without it: it changes nothing there. */
export function isLate(state: AlertState, time: EpochMs): boolean {
  return state.at !== null && time < state.at;
}

/** True for a state that is as good as none. */
export function isRest({ phase, fires, at }: AlertState, now: EpochMs = at ?? 0): boolean {
  return phase === "normal" && (fires.length === 0 || fires.at(-1)! + FLAPPING_WITHIN_MS <= now);
}
