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
const SIZE = 23;

/** What the checks remember of a series: made of its readings alone. */
export type SeriesState = Float64Array;

/** The state of a series without a past. */
export function newSeries(): SeriesState {
  return new Float64Array(SIZE);
}

/** The states of so many series without a past, in one piece of memory: each by itself takes twice as much. */
export function newSeriesOf(count: number): SeriesState[] {
  const all = new Float64Array(count * SIZE);
  return Array.from({ length: count }, (_, i) => all.subarray(i * SIZE, (i + 1) * SIZE));
}

type Tell = (flag: Flag) => void;

/**
 * Takes the next reading of a series, in the order of arrival; what its device sent late is left out before. A flag that goes
 * on is told again with the same `from` and its new end. A spike and a change are told one reading later, by both neighbors.
 * @param time later than the last reading's, or earlier where the device's clock was set back
 */
export function stepSeries(state: SeriesState, time: EpochMs, value: number, limits: SeriesLimits, tell: Tell): void {
  if ((limits.min !== null && value < limits.min) || (limits.max !== null && value > limits.max))
    tell({ check: "range", level: "fail", from: time, to: time });
  const readings = state[READINGS]!;
  if (readings === 0) return begin(state, time, value);
  const setBack = time <= state[TIME]!;
  const gap = setBack ? state[GAP]! : time - state[TIME]!;
  state[GAP]! += weight(readings) * (Math.min(gap, readings >= KNOWN ? 3 * state[GAP]! : gap) - state[GAP]!);
  if (readings > 1) judgeMiddle(state, value, limits, tell);
  if (setBack) state[RUN] = 0;
  followRun(state, time, value, limits, tell);
  followCounter(state, time, value, tell);

  state[BEFORE_GAP] = gap;
  state[BEFORE] = state[VALUE]!;
  state[TIME] = time;
  state[VALUE] = value;
  state[READINGS] = readings + 1;
}

function begin(state: SeriesState, time: EpochMs, value: number): void {
  state[READINGS] = state[RUN] = 1;
  state[TIME] = state[FIRST_TIME] = state[FELL] = state[RUN_FROM] = time;
  state[VALUE] = state[LOWEST] = state[HIGHEST] = value;
  state[REST] = NaN;
  state[EQUAL] = FIRST_EQUAL;
}

/** The larger of the weight for the long run and that of a plain mean of what there is. */
function weight(readings: number): number {
  return Math.max(NEWEST, 1 / readings);
}

/** Judges the last reading now that both its neighbors are known, and learns from it what a spike doesn't teach. */
function judgeMiddle(state: SeriesState, after: number, limits: SeriesLimits, tell: Tell): void {
  const [middle, before, time] = [state[VALUE]!, state[BEFORE]!, state[TIME]!];
  const step = Math.abs(middle - before);
  const least = Math.min(step, Math.abs(middle - after));
  const outside = middle < state[LOWEST]! || middle > state[HIGHEST]!;
  const readings = state[READINGS]!;
  const share = weight(readings);
  const switches = isOnOrOff(before) && isOnOrOff(middle) && isOnOrOff(after);
  const spike =
    readings > KNOWN &&
    !switches &&
    limits.spikeSteps !== null &&
    least > limits.spikeSteps * state[STEP]! &&
    Math.abs(after - before) <= AGREE * least;
  state[SPIKES]! += share * ((spike ? 1 : 0) - state[SPIKES]!);
  if (spike && state[SPIKES]! <= USUAL_SPIKES)
    return tell({ check: "spike", level: outside ? "fail" : "suspect", from: time, to: time });

  const speed = (step * 60_000) / state[BEFORE_GAP]!;
  const known = readings > KNOWN && time - state[FIRST_TIME]! >= CHANGES_KNOWN_MS;
  if (known && !switches && limits.changeTimes !== null && outside && speed > limits.changeTimes * state[FASTEST]!)
    tell({ check: "change", level: "suspect", from: time, to: time });
  state[FASTEST] = Math.max(state[FASTEST]! * REMEMBERED, speed);
  // While it rests, a series doesn't forget how it moves.
  if (step > 0) state[STEP] = state[STEP] === 0 ? step : state[STEP]! + share * (step - state[STEP]!);
  state[LOWEST] = Math.min(state[LOWEST]!, middle);
  state[HIGHEST] = Math.max(state[HIGHEST]!, middle);
}

/** Booleans are 0 and 1: what is on for a moment, as where something moves now and then, is no spike. */
function isOnOrOff(value: number): boolean {
  return value === 0 || value === 1;
}

/** Follows the run of equal values. What lies at the edge of all values so far, as a machine at rest does, isn't stuck. */
function followRun(state: SeriesState, time: EpochMs, value: number, limits: SeriesLimits, tell: Tell): void {
  const equal = value === state[VALUE]! && state[RUN]! > 0;
  // Asked only after two equal ones: values that drift slowly repeat in long runs, though not often at all.
  if (state[RUN] === 1) state[EQUAL_BEFORE] = state[EQUAL]!;
  if (state[RUN]! >= 2 && state[RUN_FLAGGED] === 0) state[EQUAL]! += NEWEST * ((equal ? 1 : 0) - state[EQUAL]!);
  if (!equal) {
    // A run that was flagged is no measure for the next.
    if (state[RUN_FLAGGED] === 0) {
      state[LONGEST] = Math.max(state[LONGEST]! * REMEMBERED, state[RUN]!);
      if (state[RUN]! >= LEAST_RUN.readings) restAt(state, state[VALUE]!);
    }
    state[RUN] = 1;
    state[RUN_FROM] = time;
    state[RUN_FLAGGED] = 0;
    return;
  }
  state[RUN]!++;
  const from = state[RUN_FROM]!;
  if (state[RUN_FLAGGED] === 1) return tell({ check: "stuck", level: "suspect", from, to: time });
  const stuck =
    limits.stuckTimes !== null &&
    state[READINGS]! >= KNOWN &&
    time - from + state[GAP]! >= LEAST_RUN.ms &&
    state[RUN]! >= Math.max(LEAST_RUN.readings, longestRun(state, limits.stuckTimes)) &&
    isInside(state, value);
  if (!stuck) return;
  if (value === state[REST] && state[RESTED]! >= RESTS - 1) return;
  restAt(state, value);
  state[RUN_FLAGGED] = 1;
  state[EQUAL] = state[EQUAL_BEFORE]!;
  tell({ check: "stuck", level: "suspect", from, to: time });
}

/** Learns that it stayed at a value: where it does so again and again it rests, however long. */
function restAt(state: SeriesState, value: number): void {
  state[RESTED] = value === state[REST] ? state[RESTED]! + 1 : 1;
  state[REST] = value;
}

/** Tells whether a value lies within what the series was so far, not at its edge. */
function isInside(state: SeriesState, value: number): boolean {
  return value > state[LOWEST]! && value < state[HIGHEST]!;
}

/** The readings a run may have: by chance where values seldom repeat, by the longest so far where they often do. */
function longestRun(state: SeriesState, times: number): number {
  const equal = Math.max(state[EQUAL]!, 1 / BY_CHANCE);
  return equal < OFTEN_EQUAL ? 1 - Math.log(BY_CHANCE) / Math.log(equal) : times * state[LONGEST]!;
}

function followCounter(state: SeriesState, time: EpochMs, value: number, tell: Tell): void {
  const step = value - state[VALUE]!;
  if (step >= 0) {
    state[SINCE_FALL]!++;
    if (step > 0) state[ROSE]!++;
    return;
  }
  const counts = state[SINCE_FALL]! >= COUNTER_KNOWN && time - state[FELL]! >= COUNTER_MS;
  if (counts && state[ROSE]! >= COUNTER_RISES * state[SINCE_FALL]!)
    tell({ check: "reset", level: "suspect", from: state[TIME]!, to: time });
  state[SINCE_FALL] = state[ROSE] = 0;
  state[FELL] = time;
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
