import type { EpochMs } from "../terms";

/**
 * How odd a series is: each step asks how far it stands from what is usual for it, on five channels, and divides that
 * distance by the largest such distance so far, which is slowly forgotten. 1.3 says "30 % farther from usual than anything
 * it remembers". Nothing is known beforehand, neither range nor shape; a step costs about a microsecond.
 */

/** Channels, in the order of the state's numbers. */
const CHANNELS = ["value", "slow mean", "roughness", "time of day", "slow time of day"] as const;
type Channel = (typeof CHANNELS)[number];

/** Oddness from which on a step is odd. */
export const ODD_FROM = 1.047;
/** Steps after an odd one that belong to the same episode. */
export const REST_STEPS = 100;
/** Steps before anything is called odd. */
const WARM_UP_STEPS = 100;

const DAY_MS = 86_400_000;
const BINS = 48;
const BIN_MS = DAY_MS / BINS;
/** Half-lives in steps: of the means that tell now, of those that tell the usual, of the largest distances. */
const FAST = 1 - 2 ** (-1 / 48);
const SLOW = 1 - 2 ** (-1 / 4000);
const REMEMBERED = 2 ** (-1 / 8000);
/** Days of which a bin of the day is the mean. */
const PROFILE_DAYS = 30;
/** Score of a series that never left its usual and now does, and the most that is said of any. */
const MOST = 100;
/** Share of a value below which a distance is rounding, and no distance. */
const ROUNDING = 1e-9;
/** Values a bin takes before distances from it count. */
const KNOWN_BIN = 2;

/** Places in the state's numbers. */
const STEPS = 0;
const FIRST_TIME = 1;
const LEVEL = 2;
const FAST_MEAN = 3;
const ROUGHNESS = 4;
const ROUGH_LEVEL = 5;
const FAST_REST = 6;
const RECORDS = 7;
const BIN_MEANS = RECORDS + CHANNELS.length;
const BIN_VALUES = BIN_MEANS + BINS;
const SIZE = BIN_VALUES + BINS;

/** What a series' past comes down to: made of its readings alone, so that it can be made again. */
export type DetectorState = Float64Array;

/** The state of a series without a past. */
export function newDetector(): DetectorState {
  return new Float64Array(SIZE);
}

/** One step's verdict. */
export interface Oddness {
  /** Distance from usual, as a multiple of the largest one remembered; 0 while too little is known. */
  readonly score: number;
  /** Where it is farthest; the three numbers are of this channel, in the metric's unit. */
  readonly channel: Channel;
  readonly now: number;
  readonly usual: number;
  /** The largest distance from usual before this step. */
  readonly farthest: number;
}

/** What the step being taken measures, by channel; kept between steps so that none makes garbage. */
const nows = new Float64Array(CHANNELS.length);
const usuals = new Float64Array(CHANNELS.length);

/**
 * Takes the next step of a series: changes `state`, and looks at nothing after `time`.
 * @param time start of the step; ascending
 * @param value mean of the step's readings
 */
export function stepDetector(state: DetectorState, time: EpochMs, value: number): Oddness {
  const steps = state[STEPS]!;
  if (steps === 0) begin(state, time, value);
  // Early on, means are plain means of what there is.
  const fast = Math.max(FAST, 1 / (steps + 1));
  const slow = Math.max(SLOW, 1 / (steps + 1));
  const bin = Math.floor((((time % DAY_MS) + DAY_MS) % DAY_MS) / BIN_MS);
  const known = state[BIN_VALUES + bin]!;
  const inProfile = known === 0 ? value : state[BIN_MEANS + bin]!;

  state[FAST_MEAN]! += fast * (value - state[FAST_MEAN]!);
  state[ROUGHNESS]! += fast * (Math.abs(value - state[FAST_MEAN]!) - state[ROUGHNESS]!);
  if (known >= KNOWN_BIN) state[FAST_REST]! += FAST * (value - inProfile - state[FAST_REST]!);
  measure(0, value, state[LEVEL]!);
  measure(1, state[FAST_MEAN]!, state[LEVEL]!);
  measure(2, state[ROUGHNESS]!, state[ROUGH_LEVEL]!);
  measure(3, known >= KNOWN_BIN ? value : inProfile, inProfile);
  measure(4, state[FAST_REST]! + inProfile, inProfile);

  const warm = steps >= WARM_UP_STEPS && time - state[FIRST_TIME]! >= DAY_MS;
  const rounding = ROUNDING * Math.abs(state[LEVEL]!);
  let most = 0;
  let score = 0;
  let farthest = 0;
  for (let i = 0; i < CHANNELS.length; i++) {
    const record = state[RECORDS + i]!;
    const apart = Math.abs(nows[i]! - usuals[i]!);
    const distance = apart > rounding ? apart : 0;
    const times = distance === 0 ? 0 : Math.min(MOST, distance / record);
    if (warm && times > score) {
      score = times;
      farthest = record;
      most = i;
    }
    state[RECORDS + i] = Math.max(record * REMEMBERED, distance);
  }

  state[LEVEL]! += slow * (value - state[LEVEL]!);
  state[ROUGH_LEVEL]! += slow * (state[ROUGHNESS]! - state[ROUGH_LEVEL]!);
  const days = 1 + (time - state[FIRST_TIME]!) / DAY_MS;
  const remembered = days <= PROFILE_DAYS ? known + 1 : Math.max(1, (known * PROFILE_DAYS) / days);
  state[BIN_MEANS + bin] = inProfile + (value - inProfile) / remembered;
  state[BIN_VALUES + bin] = known + 1;
  state[STEPS] = steps + 1;
  return { score, channel: CHANNELS[most]!, now: nows[most]!, usual: usuals[most]!, farthest };
}

function begin(state: DetectorState, time: EpochMs, value: number): void {
  state[FIRST_TIME] = time;
  state[LEVEL] = state[FAST_MEAN] = value;
}

function measure(channel: number, now: number, usual: number): void {
  nows[channel] = now;
  usuals[channel] = usual;
}
