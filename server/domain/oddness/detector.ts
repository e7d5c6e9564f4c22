import type { EpochMs } from "../terms";

/**
 * How odd a series is: each step asks how far it stands from what is usual for it, on five channels, and divides that
 * distance by the largest such distance so far, which is slowly forgotten. 1.3 says "30 % farther from usual than anything
 * it remembers". Nothing is known beforehand, neither range nor shape; a step costs about a microsecond.
 */

/** What a series is measured by, in the order of the state's numbers. */
export const CHANNELS = ["value", "slow mean", "roughness", "time of day", "slow time of day"] as const;
export type Channel = (typeof CHANNELS)[number];

/** Oddness from which on a step is odd. */
export const ODD_FROM = 1.047;
/** Steps from the first odd one on that belong to one stretch: what lasts longer has become usual. */
const REST_STEPS = 100;
/** Steps before anything is called odd, of a series as of a channel; and the time before it. */
export const WARM_UP_STEPS = 100;
export const WARM_UP_MS = 86_400_000;

const DAY_MS = 86_400_000;
const BINS = 48;
/** Width of a bin of the time of day. */
export const BIN_MS = DAY_MS / BINS;
/** Half-lives in steps: of the means that tell now, of those that tell the usual, of the largest distances. */
const FAST = 1 - 2 ** (-1 / 48);
const SLOW = 1 - 2 ** (-1 / 4000);
const REMEMBERED = 2 ** (-1 / 8000);
/** Days of which a bin of the day is the mean. */
const PROFILE_DAYS = 30;
/** Score of a series that never left its usual and now does, and the most that is said of any. */
const MOST = 100;
/** Share of a value below which a distance is rounding, and no distance. */
const ROUNDING = 1e-12;
/** The same of the bins, which are kept in single precision. */
const BIN_ROUNDING = 2 ** -22;
/** Values a bin takes before distances from it count. */
const KNOWN_BIN = 2;
/** A counter falls less than once in so many rises, and rises in half of its steps or more: how far it is says nothing. */
const COUNTER_RISES = 500;
/**
 * Quarters of a day are compared with the same of the day before, those of the first day each with the one before it; half
 * of what they say is forgotten after ten days.
 */
const QUARTERS = 4;
const QUARTER_MS = DAY_MS / QUARTERS;
const QUARTERS_REMEMBERED = 2 ** (-1 / 40);
/** A series goes one way if so many were compared, and this share of them went there, as with batteries and counters that rest. */
const ONE_WAY_FROM = 3;
const ONE_WAY = 0.9;

/** Places in the state's numbers. */
const STEPS = 0;
const FIRST_TIME = 1;
/** The first value: bins are kept as differences from it. */
const BASE = 2;
const LEVEL = 3;
const FAST_MEAN = 4;
const ROUGHNESS = 5;
const ROUGH_LEVEL = 6;
const FAST_REST = 7;
const PROFILE_STEPS = 8;
const LAST = 9;
const ROSE = 10;
const FELL = 11;
/** The stretch that goes on: its first step, and how many may follow; 0: none does. */
const ODD_SINCE = 12;
const REST = 13;
/** The largest distances, and what they were before that stretch. */
const RECORDS = 14;
const HELD = RECORDS + CHANNELS.length;
/** The quarter of a day under way, its sum and steps; the means of those of a day; how many were higher and lower than a day before. */
const QUARTER = HELD + CHANNELS.length;
const QUARTER_SUM = QUARTER + 1;
const QUARTER_STEPS = QUARTER + 2;
const UP = QUARTER + 3;
const DOWN = QUARTER + 4;
const QUARTER_MEANS = QUARTER + 5;
const NUMBERS = QUARTER_MEANS + QUARTERS;
const PROFILE = 3;
const SLOW_PROFILE = 4;

const MEANS_AT = NUMBERS * 8;
const COUNTS_AT = MEANS_AT + BINS * 4;
/** Bytes of a state. */
export const STATE_BYTES = COUNTS_AT + BINS * 2;

/** What a series' past comes down to: made of its readings, and of what people said of its odd stretches. Plain bytes, seen as numbers. */
export interface DetectorState {
  readonly numbers: Float64Array;
  readonly means: Float32Array;
  readonly counts: Uint16Array;
}

/** The state kept in `bytes`; of none, that of a series without a past. */
export function detectorOf(bytes?: Uint8Array): DetectorState {
  const { buffer } = bytes ? new Uint8Array(bytes) : new Uint8Array(STATE_BYTES);
  return {
    numbers: new Float64Array(buffer, 0, NUMBERS),
    means: new Float32Array(buffer, MEANS_AT, BINS),
    counts: new Uint16Array(buffer, COUNTS_AT, BINS),
  };
}

/** The bytes of a state, which change with it. */
export function bytesOf({ numbers: { buffer } }: DetectorState): Uint8Array {
  return new Uint8Array(buffer);
}

/** What is known of a step's readings. */
export interface Step {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** One step's verdict. */
export interface Oddness {
  /** Distance from usual, as a multiple of the largest one before; within an odd stretch, before that. 0 while too little is known. */
  readonly score: number;
  /** Where it is farthest; the three numbers are of this channel, in the metric's unit. */
  readonly channel: Channel;
  readonly now: number;
  readonly usual: number;
  /** The largest distance from usual before. */
  readonly farthest: number;
  /** First step of the odd stretch that this one belongs to; null: of none. */
  readonly since: EpochMs | null;
}

export interface StepOptions {
  /** Score from which on a stretch begins. */
  readonly oddFrom?: number;
  /** False: people said that what goes on is real, so that it is no measure for what comes. */
  readonly learns?: boolean;
}

/** What the step being taken measures, by channel; kept between steps so that none makes garbage. */
const nows = new Float64Array(CHANNELS.length);
const usuals = new Float64Array(CHANNELS.length);

/**
 * Takes the next step of a series: changes `state`, and looks at nothing after `time`.
 * @param time start of the step; ascending
 */
export function stepDetector(
  { numbers: state, means, counts }: DetectorState,
  time: EpochMs,
  { mean: value, min, max }: Step,
  { oddFrom = ODD_FROM, learns = true }: StepOptions = {},
): Oddness {
  const steps = state[STEPS]!;
  if (steps === 0) begin(state, time, value);
  followQuarter(state, time, value);
  // Early on, means are plain means of what there is.
  const fast = Math.max(FAST, 1 / (steps + 1));
  const slow = Math.max(SLOW, 1 / (steps + 1));
  const bin = binOf(time);
  const known = counts[bin]!;
  const inProfile = known === 0 ? value : state[BASE]! + means[bin]!;
  const hasProfile = known >= KNOWN_BIN;

  state[FAST_MEAN]! += fast * (value - state[FAST_MEAN]!);
  state[ROUGHNESS]! += fast * (Math.abs(value - state[FAST_MEAN]!) - state[ROUGHNESS]!);
  if (hasProfile) state[FAST_REST]! += FAST * (value - inProfile - state[FAST_REST]!);
  const level = state[LEVEL]!;
  measure(0, level - min > max - level ? min : max, level);
  measure(1, state[FAST_MEAN]!, level);
  measure(2, state[ROUGHNESS]!, state[ROUGH_LEVEL]!);
  measure(PROFILE, hasProfile ? value : inProfile, inProfile);
  measure(SLOW_PROFILE, state[FAST_REST]! + inProfile, inProfile);

  const warm = steps >= WARM_UP_STEPS && time - state[FIRST_TIME]! >= WARM_UP_MS && !goesOneWay(state, steps);
  const channels = state[PROFILE_STEPS]! >= WARM_UP_STEPS ? CHANNELS.length : PROFILE;
  const rounding = ROUNDING * Math.abs(level);
  const binRounding = Math.max(rounding, BIN_ROUNDING * Math.abs(value - state[BASE]!));
  const measures = state[REST]! > 0 ? HELD : RECORDS;
  let most = 0;
  let score = 0;
  let farthest = state[measures]!;
  for (let i = 0; i < CHANNELS.length; i++) {
    const apart = Math.abs(nows[i]! - usuals[i]!);
    const distance = apart > (i < PROFILE ? rounding : binRounding) ? apart : 0;
    nows[i] = distance === 0 ? usuals[i]! : nows[i]!;
    if (!warm || i >= channels || distance === 0) continue;
    const before = state[measures + i]!;
    const times = Math.min(MOST, distance / before);
    if (times <= score) continue;
    score = times;
    farthest = before;
    most = i;
  }
  const since = rest(state, time, score >= oddFrom);
  for (let i = 0; i < CHANNELS.length; i++) {
    const distance = Math.abs(nows[i]! - usuals[i]!);
    state[RECORDS + i] = Math.max(state[RECORDS + i]! * REMEMBERED, learns ? distance : 0);
  }

  state[LEVEL]! += slow * (value - level);
  state[ROUGH_LEVEL]! += slow * (state[ROUGHNESS]! - state[ROUGH_LEVEL]!);
  const days = 1 + (time - state[FIRST_TIME]!) / DAY_MS;
  const remembered = days <= PROFILE_DAYS ? known + 1 : Math.max(1, (known * PROFILE_DAYS) / days);
  means[bin] = inProfile + (value - inProfile) / remembered - state[BASE]!;
  if (known < 65_535) counts[bin] = known + 1;
  if (hasProfile) state[PROFILE_STEPS]!++;
  if (value > state[LAST]!) state[ROSE]!++;
  else if (value < state[LAST]!) state[FELL]!++;
  state[LAST] = value;
  state[STEPS] = steps + 1;
  return { score, channel: CHANNELS[most]!, now: nows[most]!, usual: usuals[most]!, farthest, since };
}

/** Ends the odd stretch that goes on: what it reached is usual from now on, also where the slow means are still on their way to it. */
export function takeAsUsual({ numbers: state }: DetectorState): void {
  state[REST] = 0;
  const raise = (channel: number, distance: number) =>
    (state[RECORDS + channel] = Math.max(state[RECORDS + channel]!, distance));
  raise(1, state[RECORDS]!);
  raise(SLOW_PROFILE, state[RECORDS + PROFILE]!);
  // A jump makes two means of one half-life differ by this share of it at most.
  raise(2, state[RECORDS]! / Math.E);
}

/** The values that are usual at a time, by what was known before it, and before the stretch that goes on; null: too little is. */
export function usualBand({ numbers: state, means, counts }: DetectorState, time: EpochMs): [number, number] | null {
  if (!isWarm({ numbers: state }, time)) return null;
  const measures = state[REST]! > 0 ? HELD : RECORDS;
  const [level, record] = [state[LEVEL]!, state[measures]!];
  const bin = binOf(time);
  if (counts[bin]! < KNOWN_BIN || state[PROFILE_STEPS]! < WARM_UP_STEPS) return [level - record, level + record];
  const [usual, far] = [state[BASE]! + means[bin]!, state[measures + PROFILE]!];
  const [low, high] = [Math.max(level - record, usual - far), Math.min(level + record, usual + far)];
  return low <= high ? [low, high] : [usual - far, usual + far];
}

/** True if enough is known of a series to call it odd: a day, and a hundred steps. */
function isWarm({ numbers: state }: Pick<DetectorState, "numbers">, time: EpochMs): boolean {
  const steps = state[STEPS]!;
  return steps >= WARM_UP_STEPS && time - state[FIRST_TIME]! >= WARM_UP_MS && !goesOneWay(state, steps);
}

/** Time of the first step; null: there was none. */
export function knownSince({ numbers: state }: DetectorState): EpochMs | null {
  return state[STEPS] === 0 ? null : state[FIRST_TIME]!;
}

/** How many steps were taken. */
export function stepsOf({ numbers: state }: DetectorState): number {
  return state[STEPS]!;
}

/** The first step of the stretch that the last step was of; null: of none. */
export function oddSince({ numbers: state }: DetectorState): EpochMs | null {
  return state[ODD_SINCE]! || null;
}

/** Begins a stretch with an odd step, and ends it in time. @returns the first step of the one that goes on */
function rest(state: Float64Array, time: EpochMs, isOdd: boolean): EpochMs | null {
  if (state[REST]! > 0) {
    state[REST]!--;
    return state[ODD_SINCE]!;
  }
  state[ODD_SINCE] = 0;
  if (!isOdd) return null;
  state[ODD_SINCE] = time;
  state[REST] = REST_STEPS - 1;
  for (let i = 0; i < CHANNELS.length; i++) state[HELD + i] = state[RECORDS + i]!;
  return time;
}

/** True for counters, and for what only ever goes up or down: it has no usual values. */
function goesOneWay(state: Float64Array, steps: number): boolean {
  if (state[FELL]! * COUNTER_RISES <= state[ROSE]! && state[ROSE]! * 2 >= steps) return true;
  const [up, down] = [state[UP]!, state[DOWN]!];
  return up + down >= ONE_WAY_FROM * QUARTERS_REMEMBERED ** ONE_WAY_FROM && Math.max(up, down) >= ONE_WAY * (up + down);
}

/** Compares each quarter of a day that is over with the same one of the day before: what a day's wave does isn't seen. */
function followQuarter(state: Float64Array, time: EpochMs, value: number): void {
  const quarter = Math.floor(time / QUARTER_MS);
  if (quarter !== state[QUARTER]! && state[QUARTER_STEPS]! > 0) {
    const place = QUARTER_MEANS + (((state[QUARTER]! % QUARTERS) + QUARTERS) % QUARTERS);
    const mean = state[QUARTER_SUM]! / state[QUARTER_STEPS]!;
    const sameDay = QUARTER_MEANS + ((place - QUARTER_MEANS + QUARTERS - 1) % QUARTERS);
    const before = Number.isNaN(state[place]!) ? state[sameDay]! : state[place]!;
    if (!Number.isNaN(before) && Math.abs(mean - before) > ROUNDING * Math.abs(before)) {
      state[UP] = state[UP]! * QUARTERS_REMEMBERED + (mean > before ? 1 : 0);
      state[DOWN] = state[DOWN]! * QUARTERS_REMEMBERED + (mean < before ? 1 : 0);
    }
    state[place] = mean;
    state[QUARTER_SUM] = state[QUARTER_STEPS] = 0;
  }
  state[QUARTER] = quarter;
  state[QUARTER_SUM]! += value;
  state[QUARTER_STEPS]!++;
}

function binOf(time: EpochMs): number {
  return Math.floor((((time % DAY_MS) + DAY_MS) % DAY_MS) / BIN_MS);
}

function begin(state: Float64Array, time: EpochMs, value: number): void {
  state[FIRST_TIME] = time;
  state.fill(NaN, QUARTER_MEANS);
  state[BASE] = state[LEVEL] = state[FAST_MEAN] = state[LAST] = value;
}

function measure(channel: number, now: number, usual: number): void {
  nows[channel] = now;
  usuals[channel] = usual;
}
