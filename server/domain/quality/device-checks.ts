import type { EpochMs } from "../terms";
import type { DeviceCheck, Flag, FlagLevel } from "./checks";

/** The least that a gap is, in milliseconds, and in usual times between messages. */
const GAP = { ms: 30_000, times: 3 } as const;
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
const SIZE = 9;

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
export function stepDevice(
  state: DeviceState,
  time: EpochMs,
  arrived: EpochMs,
  flag: (flag: Flag<DeviceCheck>) => void,
): boolean {
  const tell = (check: DeviceCheck, level: FlagLevel, from: EpochMs, to: EpochMs) => flag({ check, level, from, to });
  const messages = state[MESSAGES]!;
  if (messages === 0) {
    state[MESSAGES] = 1;
    state[TIME] = state[STEADY_FROM] = time;
    state[ARRIVED] = arrived;
    state[OFFSET] = arrived - time;
    return true;
  }
  const last = state[TIME]!;
  if (time === last) return false;
  const wasOff = state[STEADY]! >= OFF.messages;
  followClock(state, time, arrived, tell);

  const goesOn = time > last;
  const setBack = !goesOn && isSetBack(state, time);
  if (!goesOn && !setBack) {
    tell("late", "suspect", time, time);
    return false;
  }
  state[BEHIND] = 0;
  const gap = time - last;
  const usual = state[USUAL]!;
  // A clock that jumps ahead, or back to right, leaves no hole in what was measured.
  const jumped = setBack || wasOff || arrived - time < -OFF.ms;
  if (!jumped && messages >= KNOWN && gap >= Math.max(GAP.ms, GAP.times * usual)) tell("gap", "suspect", last, time);
  if (!jumped)
    state[USUAL] = usual + Math.max(NEWEST, 1 / messages) * (Math.min(gap, messages < KNOWN ? gap : 3 * usual) - usual);
  state[MESSAGES] = messages + 1;
  state[TIME] = time;
  return true;
}

/** Arrival minus event time of a device's last message, in milliseconds. */
export function offsetOf(state: DeviceState): number {
  return state[OFFSET]!;
}

type Tell = (check: DeviceCheck, level: FlagLevel, from: EpochMs, to: EpochMs) => void;

/** Follows how far event times are from arrival. A backlog comes at once, and ever less late; a clock that is off keeps its pace. */
function followClock(state: DeviceState, time: EpochMs, arrived: EpochMs, tell: Tell): void {
  const offset = arrived - time;
  const ownPace = arrived - state[ARRIVED]! >= state[USUAL]! / 2;
  const steady = Math.abs(offset) > OFF.ms && Math.abs(offset - state[OFFSET]!) <= OFF.steadyMs && ownPace;
  if (!steady) {
    state[STEADY] = 1;
    state[STEADY_FROM] = time;
  } else if (++state[STEADY]! >= OFF.messages) tell("clock", "suspect", state[STEADY_FROM]!, time);
  state[OFFSET] = offset;
  state[ARRIVED] = arrived;
}

function isSetBack(state: DeviceState, time: EpochMs): boolean {
  state[BEHIND] = state[BEHIND]! > 0 && time > state[BEHIND_TIME]! ? state[BEHIND]! + 1 : 1;
  state[BEHIND_TIME] = time;
  return state[BEHIND]! >= SET_BACK;
}
