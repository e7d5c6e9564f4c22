import type { EpochMs } from "../terms";
import type { Flag } from "./checks";

/** What the checks of a series go by; null leaves one out. */
export interface SeriesLimits {
  /** The metric's valid range; a value outside fails. */
  readonly min: number | null;
  readonly max: number | null;
  /** A spike is this many usual steps from both its neighbors. */
  readonly spikeSteps: number | null;
  /** A change is too fast from this many times the fastest so far. */
  readonly changeTimes: number | null;
  /** A series that often repeats a value is stuck after this many times its longest run so far; null leaves out `stuck`. */
  readonly stuckTimes: number | null;
}

/** The limits of a series for which nobody set any. */
export const DEFAULT_LIMITS: SeriesLimits = {
  min: null,
  max: null,
  spikeSteps: 8,
  changeTimes: 3,
  stuckTimes: 5,
};

/** The least that a run of equal values is before it can be stuck. */
const LEAST_RUN = { readings: 10, ms: 120_000 } as const;
/** A run is too long for chance if it comes less than once in so many readings. */
const BY_CHANCE = 1e9;

/** Readings, and time, before a check that goes by what is usual says anything. */
const KNOWN = 100;
const CHANGES_KNOWN_MS = 86_400_000;
const COUNTER_KNOWN = 1000;
/** Weight of the newest reading in what is usual: half of it is of the last 500. */
const NEWEST = 1 - 2 ** (-1 / 500);
/** Records, the fastest change and the longest run, are half forgotten after 50,000 readings. */
const REMEMBERED = 2 ** (-1 / 50_000);
/** Neighbors of a spike agree: they differ by no more than this share of it. */
const AGREE = 0.25;
/** A series does it by itself if more of its readings do: spikes, readings equal to the one before. */
const USUAL_SPIKES = 0.02;
const OFTEN_EQUAL = 0.5;
/** The share that a series without a past is taken to have. */
const FIRST_EQUAL = 0.3;
/** A value at which the series stays this often is where it rests. */
const RESTS = 3;
/** A counter is what didn't fall for a day and in so many readings, and of which this share rose. */
const COUNTER_MS = 86_400_000;
const COUNTER_RISES = 0.2;

/** Places in the state's numbers. */
const READINGS = 0;
const FIRST_TIME = 1;
/** The last reading, the time from the one before it, and that one's value. */
const TIME = 2;
const VALUE = 3;
const BEFORE_GAP = 4;
const BEFORE = 5;
/** Usual time between readings in ms and step, share of spikes, and of readings that go on with a run. */
const GAP = 6;
const STEP = 7;
const SPIKES = 8;
const EQUAL = 9;
/** Fastest change a minute, longest run in readings, lowest and highest so far. */
const FASTEST = 10;
const LONGEST = 11;
const LOWEST = 12;
const HIGHEST = 13;
/** The run that goes on: its readings and begin, and whether it is flagged. */
const RUN = 14;
const RUN_FROM = 15;
const RUN_FLAGGED = 16;
/** The value at which it stayed last for ten readings or more, and how often in a row. */
const REST = 17;
const RESTED = 18;
/** Readings since it fell, how many of them rose, and when it fell. */
const SINCE_FALL = 19;
const ROSE = 20;
const FELL = 21;
/** EQUAL as it was before the run. */
const EQUAL_BEFORE = 22;
/** How many numbers the state of a series has. */
export const SERIES_SIZE = 23;

/** What the checks remember of a series: made of its readings alone. */
export type SeriesState = Float64Array;

/** The state of a series without a past. */
export function newSeries(): SeriesState {
  return new Float64Array(SERIES_SIZE);
}

type Tell = (flag: Flag) => void;

/**
 * Takes the next reading of a series, in the order of arrival; what its device sent late is left out before. A flag that goes
 * on is told again with the same `from` and its new end. A spike and a change are told one reading later, by both neighbors.
 * @param at the place of its first number among `states`, which may be those of many series
 * @param time later than the last reading's, or earlier where the device's clock was set back
 */
export function stepSeries(
  states: Float64Array,
  at: number,
  time: EpochMs,
  value: number,
  limits: SeriesLimits,
  tell: Tell,
): void {
  if ((limits.min !== null && value < limits.min) || (limits.max !== null && value > limits.max))
    tell({ check: "range", level: "fail", from: time, to: time });
  const readings = states[at + READINGS]!;
  if (readings === 0) return begin(states, at, time, value);
  const setBack = time <= states[at + TIME]!;
  const gap = setBack ? states[at + GAP]! : time - states[at + TIME]!;
  states[at + GAP]! +=
    weight(readings) * (Math.min(gap, readings >= KNOWN ? 3 * states[at + GAP]! : gap) - states[at + GAP]!);
  if (readings > 1) judgeMiddle(states, at, value, limits, tell);
  if (setBack) states[at + RUN] = 0;
  followRun(states, at, time, value, limits, tell);
  followCounter(states, at, time, value, tell);

  states[at + BEFORE_GAP] = gap;
  states[at + BEFORE] = states[at + VALUE]!;
  states[at + TIME] = time;
  states[at + VALUE] = value;
  states[at + READINGS] = readings + 1;
}

function begin(states: Float64Array, at: number, time: EpochMs, value: number): void {
  states[at + READINGS] = states[at + RUN] = 1;
  states[at + TIME] = states[at + FIRST_TIME] = states[at + FELL] = states[at + RUN_FROM] = time;
  states[at + VALUE] = states[at + LOWEST] = states[at + HIGHEST] = value;
  states[at + REST] = NaN;
  states[at + EQUAL] = FIRST_EQUAL;
}

/** The larger of the weight for the long run and that of a plain mean of what there is. */
function weight(readings: number): number {
  return Math.max(NEWEST, 1 / readings);
}

/** Judges the last reading now that both its neighbors are known, and learns from it what a spike doesn't teach. */
function judgeMiddle(states: Float64Array, at: number, after: number, limits: SeriesLimits, tell: Tell): void {
  const middle = states[at + VALUE]!;
  const before = states[at + BEFORE]!;
  const time = states[at + TIME]!;
  const step = Math.abs(middle - before);
  const least = Math.min(step, Math.abs(middle - after));
  const outside = middle < states[at + LOWEST]! || middle > states[at + HIGHEST]!;
  const readings = states[at + READINGS]!;
  const share = weight(readings);
  const switches = isOnOrOff(before) && isOnOrOff(middle) && isOnOrOff(after);
  const spike =
    readings > KNOWN &&
    !switches &&
    limits.spikeSteps !== null &&
    least > limits.spikeSteps * states[at + STEP]! &&
    Math.abs(after - before) <= AGREE * least;
  states[at + SPIKES]! += share * ((spike ? 1 : 0) - states[at + SPIKES]!);
  if (spike && states[at + SPIKES]! <= USUAL_SPIKES)
    return tell({ check: "spike", level: outside ? "fail" : "suspect", from: time, to: time });

  const speed = (step * 60_000) / states[at + BEFORE_GAP]!;
  const known = readings > KNOWN && time - states[at + FIRST_TIME]! >= CHANGES_KNOWN_MS;
  if (
    known &&
    !switches &&
    limits.changeTimes !== null &&
    outside &&
    speed > limits.changeTimes * states[at + FASTEST]!
  )
    tell({ check: "change", level: "suspect", from: time, to: time });
  states[at + FASTEST] = Math.max(states[at + FASTEST]! * REMEMBERED, speed);
  // While it rests, a series doesn't forget how it moves.
  if (step > 0)
    states[at + STEP] = states[at + STEP] === 0 ? step : states[at + STEP]! + share * (step - states[at + STEP]!);
  states[at + LOWEST] = Math.min(states[at + LOWEST]!, middle);
  states[at + HIGHEST] = Math.max(states[at + HIGHEST]!, middle);
}

/** Booleans are 0 and 1: what is on for a moment, as where something moves now and then, is no spike. */
function isOnOrOff(value: number): boolean {
  return value === 0 || value === 1;
}

/** Follows the run of equal values. What lies at the edge of all values so far, as a machine at rest does, isn't stuck. */
function followRun(
  states: Float64Array,
  at: number,
  time: EpochMs,
  value: number,
  limits: SeriesLimits,
  tell: Tell,
): void {
  const equal = value === states[at + VALUE]! && states[at + RUN]! > 0;
  // Asked only after two equal ones: values that drift slowly repeat in long runs, though not often at all.
  if (states[at + RUN] === 1) states[at + EQUAL_BEFORE] = states[at + EQUAL]!;
  if (states[at + RUN]! >= 2 && states[at + RUN_FLAGGED] === 0)
    states[at + EQUAL]! += NEWEST * ((equal ? 1 : 0) - states[at + EQUAL]!);
  if (!equal) {
    // A run that was flagged is no measure for the next.
    if (states[at + RUN_FLAGGED] === 0) {
      states[at + LONGEST] = Math.max(states[at + LONGEST]! * REMEMBERED, states[at + RUN]!);
      if (states[at + RUN]! >= LEAST_RUN.readings) restAt(states, at, states[at + VALUE]!);
    }
    states[at + RUN] = 1;
    states[at + RUN_FROM] = time;
    states[at + RUN_FLAGGED] = 0;
    return;
  }
  states[at + RUN]!++;
  const from = states[at + RUN_FROM]!;
  if (states[at + RUN_FLAGGED] === 1) return tell({ check: "stuck", level: "suspect", from, to: time });
  const stuck =
    limits.stuckTimes !== null &&
    states[at + READINGS]! >= KNOWN &&
    time - from + states[at + GAP]! >= LEAST_RUN.ms &&
    states[at + RUN]! >= Math.max(LEAST_RUN.readings, longestRun(states, at, limits.stuckTimes)) &&
    isInside(states, at, value);
  if (!stuck) return;
  if (value === states[at + REST] && states[at + RESTED]! >= RESTS - 1) return;
  restAt(states, at, value);
  states[at + RUN_FLAGGED] = 1;
  states[at + EQUAL] = states[at + EQUAL_BEFORE]!;
  tell({ check: "stuck", level: "suspect", from, to: time });
}

/** Learns that it stayed at a value: where it does so again and again it rests, however long. */
function restAt(states: Float64Array, at: number, value: number): void {
  states[at + RESTED] = value === states[at + REST] ? states[at + RESTED]! + 1 : 1;
  states[at + REST] = value;
}

/** Tells whether a value lies within what the series was so far, not at its edge. */
function isInside(states: Float64Array, at: number, value: number): boolean {
  return value > states[at + LOWEST]! && value < states[at + HIGHEST]!;
}

/** The readings a run may have: by chance where values seldom repeat, by the longest so far where they often do. */
function longestRun(states: Float64Array, at: number, times: number): number {
  const equal = Math.max(states[at + EQUAL]!, 1 / BY_CHANCE);
  return equal < OFTEN_EQUAL ? 1 - Math.log(BY_CHANCE) / Math.log(equal) : times * states[at + LONGEST]!;
}

function followCounter(states: Float64Array, at: number, time: EpochMs, value: number, tell: Tell): void {
  const step = value - states[at + VALUE]!;
  if (step >= 0) {
    states[at + SINCE_FALL]!++;
    if (step > 0) states[at + ROSE]!++;
    return;
  }
  const counts = states[at + SINCE_FALL]! >= COUNTER_KNOWN && time - states[at + FELL]! >= COUNTER_MS;
  if (counts && states[at + ROSE]! >= COUNTER_RISES * states[at + SINCE_FALL]!)
    tell({ check: "reset", level: "suspect", from: states[at + TIME]!, to: time });
  states[at + SINCE_FALL] = states[at + ROSE] = 0;
  states[at + FELL] = time;
}

/** What a series' readings taught of it. */
export interface Learned {
  /** Usual time between readings, in ms; null: too few came. */
  readonly gapMs: number | null;
  /** Usual step from one reading to the next, the fastest change a minute, the longest run of equal readings. */
  readonly step: number;
  readonly fastest: number;
  readonly longestRun: number;
  /** What no spike was, lowest and highest. */
  readonly lowest: number;
  readonly highest: number;
}

/** Readings after which their pace is known. */
const PACE_KNOWN = 20;

/** Tells what a state knows. */
export function learnedOf(state: SeriesState): Learned {
  return {
    gapMs: state[READINGS]! >= PACE_KNOWN ? state[GAP]! : null,
    ...{ step: state[STEP]!, fastest: state[FASTEST]!, longestRun: Math.max(state[LONGEST]!, state[RUN]!) },
    ...{ lowest: state[LOWEST]!, highest: state[HIGHEST]! },
  };
}
