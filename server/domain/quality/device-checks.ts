import type { EpochMs } from "../terms";
import type { DeviceCheck, Flag } from "./checks";

/** The least that a gap is, in milliseconds, and in usual times between messages. */
const GAP = { ms: 10_000, times: 3 } as const;
/** A device that spends this share of its time in pauses collects, and sends now and then: that is its way. */
const PAUSES = 0.3;
/** How far back that share is remembered, in milliseconds. */
const PAUSES_MS = 86_400_000;
/** A clock is off that differs by so much from the time of arrival, the same within `steadyMs`, in so many messages. */
const OFF = { ms: 10_000, steadyMs: 2000, messages: 5 } as const;
/** Messages in a row before the newest time so far, ascending, after which the clock counts as set back. */
const SET_BACK = 3;
/** Messages before a gap is told. */
const KNOWN = 20;
const NEWEST = 1 - 2 ** (-1 / 100);

/** Places in the state's numbers. */
const MESSAGES = 0;
const TIME = 1;
const ARRIVED = 2;
/** Usual time between messages, in ms. */
const USUAL = 3;
/** Arrival minus event time of the last message; the run of messages in which it is the same and too much. */
const OFFSET = 4;
const STEADY = 5;
const STEADY_FROM = 6;
/** The run of messages before the newest time. */
const BEHIND = 7;
const BEHIND_TIME = 8;
/** The share of time it was paused, and the time of the first arrival. */
const PAUSED = 9;
const FIRST_ARRIVED = 10;
/** The longest time between messages so far, and when it ended: kept apart until the pace is known. */
const LONGEST = 11;
const LONGEST_ENDED = 12;
const SIZE = 13;

/** What the checks remember of a device: made of its messages alone. */
export type DeviceState = Float64Array;

/** The state of a device without a past. */
export function newDevice(): DeviceState {
  return new Float64Array(SIZE);
}

/**
 * Takes the next message of a device, in the order of arrival.
 * @param time event time  @param arrived ingest time
 * @returns whether the checks of series may go by it: it goes on where the last one ended, or on a clock that was set back
 */
export function stepDevice(state: DeviceState, time: EpochMs, arrived: EpochMs, tell: Tell): boolean {
  const messages = state[MESSAGES]!;
  if (messages === 0) {
    state[MESSAGES] = 1;
    state[TIME] = state[STEADY_FROM] = time;
    state[ARRIVED] = state[FIRST_ARRIVED] = arrived;
    state[OFFSET] = arrived - time;
    return true;
  }
  const last = state[TIME]!;
  if (time === last) return false;
  const wasOff = state[STEADY]! >= OFF.messages;
  const paused = followPauses(state, arrived);
  followClock(state, time, arrived, tell);

  const goesOn = time > last;
  const setBack = !goesOn && isSetBack(state, time);
  if (!goesOn && !setBack) {
    tell({ check: "late", level: "suspect", from: time, to: time });
    return false;
  }
  state[BEHIND] = 0;
  const gap = time - last;
  const usual = state[USUAL]!;
  // A clock that jumps ahead, or back to right, leaves no hole in what was measured.
  const jumped = setBack || wasOff || arrived - time < -OFF.ms;
  if (messages >= KNOWN && !jumped && gap >= leastGap(usual))
    tell({ check: "gap", level: "suspect", from: last, to: time });
  // What comes after the pause fills the hole, and yet nobody could hear of it while it lasted.
  else if (messages >= KNOWN && paused > 0)
    tell({ check: "reception", level: "suspect", from: last, to: last + paused });
  if (!jumped) {
    if (messages < KNOWN) learnPace(state, gap, time);
    else state[USUAL] = usual + Math.max(NEWEST, 1 / messages) * (Math.min(gap, 3 * usual || gap) - usual);
  }
  state[MESSAGES] = messages + 1;
  if (messages + 1 === KNOWN) settlePace(state, tell);
  state[TIME] = time;
  return true;
}

/** Arrival minus event time of a device's last message, in milliseconds. */
export function offsetOf(state: DeviceState): number {
  return state[OFFSET]!;
}

type Tell = (flag: Flag<DeviceCheck>) => void;

/** Follows how far event times are from arrival. A backlog comes at once, and ever less late; a clock that is off keeps its pace. */
function followClock(state: DeviceState, time: EpochMs, arrived: EpochMs, tell: Tell): void {
  const offset = arrived - time;
  const ownPace = arrived - state[ARRIVED]! >= state[USUAL]! / 2;
  const steady = Math.abs(offset) > OFF.ms && Math.abs(offset - state[OFFSET]!) <= OFF.steadyMs && ownPace;
  if (!steady) {
    state[STEADY] = 1;
    state[STEADY_FROM] = time;
  } else if (++state[STEADY]! >= OFF.messages)
    tell({ check: "clock", level: "suspect", from: state[STEADY_FROM]!, to: time });
  state[OFFSET] = offset;
  state[ARRIVED] = arrived;
}

/** Follows how long nothing arrives. @returns the pause that ends now, in milliseconds; 0 for one that isn't unusual */
function followPauses(state: DeviceState, arrived: EpochMs): number {
  const pause = Math.max(0, arrived - state[ARRIVED]!);
  const isPause = state[USUAL]! > 0 && pause >= leastGap(state[USUAL]!);
  const known = Math.max(pause, Math.min(PAUSES_MS, arrived - state[FIRST_ARRIVED]!));
  const usually = state[PAUSED]!;
  if (known > 0) state[PAUSED] = usually + (pause / known) * ((isPause ? 1 : 0) - usually);
  return isPause && usually < PAUSES ? pause : 0;
}

/** Learns from one of the first times between messages; the longest is left out, for it may be a hole that says nothing of the pace. */
function learnPace(state: DeviceState, gap: number, time: EpochMs): void {
  const longest = state[LONGEST]!;
  if (gap > longest) {
    state[LONGEST] = gap;
    state[LONGEST_ENDED] = time;
  }
  const other = Math.min(gap, longest);
  if (other > 0) state[USUAL]! += (other - state[USUAL]!) / Math.max(1, state[MESSAGES]! - 1);
}

/** Tells, by what the others say, whether the longest of the first times was a gap: a device may stop right after it began. */
function settlePace(state: DeviceState, tell: Tell): void {
  const [usual, longest, ended] = [state[USUAL]!, state[LONGEST]!, state[LONGEST_ENDED]!];
  if (usual > 0 && longest >= leastGap(usual))
    tell({ check: "gap", level: "suspect", from: ended - longest, to: ended });
  else state[USUAL] = usual + (longest - usual) / state[MESSAGES]!;
}

function leastGap(usual: number): number {
  return Math.max(GAP.ms, GAP.times * usual);
}

function isSetBack(state: DeviceState, time: EpochMs): boolean {
  state[BEHIND] = state[BEHIND]! > 0 && time > state[BEHIND_TIME]! ? state[BEHIND]! + 1 : 1;
  state[BEHIND_TIME] = time;
  return state[BEHIND]! >= SET_BACK;
}
