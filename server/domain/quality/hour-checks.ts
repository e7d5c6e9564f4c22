import type { Flag, SlowCheck } from "./checks";
import { type Hour, HOUR_MS, hourOfWeek, type Profile, type Usual } from "./profile";

/** What the checks of hours and days go by; null leaves one out. */
export interface SlowLimits {
  /** Values are unusual this share of the usual range beyond it. */
  readonly usualMargin: number | null;
  /** Spreads from the mean of this hour of the week. */
  readonly climatologySpreads: number | null;
  /** The share of what it usually moves. */
  readonly attenuatedShare: number | null;
  /** Values fit another unit within this share of the usual range. */
  readonly unitMargin: number | null;
  /** Spreads from where its pair says it is, and from its usual place among neighbors. */
  readonly crossSpreads: number | null;
  readonly neighborSpreads: number | null;
  /** Spreads of a day's mean from those of four weeks. */
  readonly driftSpreads: number | null;
}

/** The limits of a series for which nobody set any. */
export const DEFAULT_SLOW_LIMITS: SlowLimits = {
  ...{ usualMargin: 0.25, climatologySpreads: 4, attenuatedShare: 0.1, unitMargin: 0.1 },
  ...{ crossSpreads: 6, neighborSpreads: 6, driftSpreads: 3 },
};

/** Readings of an hour below which it says nothing of how a series moves. */
const ENOUGH = 10;
/** What was never so far off yet: this many times the farthest. */
const BEYOND = 1.5;

/** Units that get mixed up: value = times × usual + plus. */
const UNITS: readonly (readonly [times: number, plus: number])[] = [
  ...[10, 100, 1000, 14.5038, 3.6].flatMap((times) => [[times, 0] as const, [1 / times, 0] as const]),
  ...[[1.8, 32] as const, [1 / 1.8, -32 / 1.8] as const, [1, 273.15] as const, [1, -273.15] as const],
];

/** An hour of a series, and what stands beside it. */
export interface HourSeen {
  readonly hour: Hour;
  /** The hour before; null: it has no readings. */
  readonly before: Hour | null;
  /** The mean of its pair in the hour, and the median of its neighbors; null: not known. */
  readonly pair: number | null;
  readonly neighbors: number | null;
}

/** Tells what is unusual about an hour of a series that is over. */
export function checkHour(
  { hour, before, pair, neighbors }: HourSeen,
  profile: Profile,
  limits: SlowLimits,
  tell: (flag: Flag<SlowCheck>) => void,
): void {
  const flag = (check: SlowCheck, from = hour.time) =>
    tell({ check, level: "suspect", from, to: hour.time + HOUR_MS - 1 });
  const { unitMargin, attenuatedShare, climatologySpreads, crossSpreads, neighborSpreads } = limits;
  if (unitMargin !== null && before !== null && isOtherUnit([before, hour], profile, unitMargin)) {
    // All else it might say follows from that.
    return flag("unit");
  }
  if (
    attenuatedShare !== null &&
    before !== null &&
    [before, hour].every((one) => isFlat(one, profile, attenuatedShare))
  )
    flag("attenuated", before.time);
  if (climatologySpreads !== null && isOffSeason(hour, profile, climatologySpreads)) flag("climatology");
  if (crossSpreads !== null && profile.pair !== null && pair !== null) {
    if (isFar(hour.mean - profile.pair.slope * pair, profile.pair, crossSpreads, profile.moves / 2)) flag("cross");
  }
  if (neighborSpreads !== null && profile.neighbors !== null && neighbors !== null) {
    if (isFar(hour.mean - neighbors, profile.neighbors, neighborSpreads, profile.moves / 2)) flag("neighbor");
  }
}

/** Tells whether a day's mean lies apart from those of the weeks before. */
export function isDayApart(mean: number, { day, moves }: Profile, { driftSpreads }: SlowLimits): boolean {
  return driftSpreads !== null && day !== null && isFar(mean, day, driftSpreads * Math.sqrt(1 + 1 / day.n), moves / 2);
}

/** The values that a series' own past says it has; null: the limit is left out. */
export function usualRange(
  { lowest, highest }: Profile,
  { usualMargin }: SlowLimits,
): readonly [number, number] | null {
  if (usualMargin === null) return null;
  const margin = usualMargin * (highest - lowest);
  return [lowest - margin, highest + margin];
}

/** @param least what nobody would call far, however steady it was */
function isFar(value: number, usual: Usual, spreads: number, least: number): boolean {
  const off = Math.abs(value - usual.mean);
  return off > least && off > spreads * usual.spread && off > BEYOND * usual.most;
}

function isOffSeason({ time, mean }: Hour, { week, moves }: Profile, spreads: number): boolean {
  const usual = week?.means[hourOfWeek(time)] ?? null;
  if (week === null || usual === null) return false;
  const hour = Math.floor(time / HOUR_MS) % 24;
  // What happens now and then at an hour may have happened but an hour or two from it so far.
  const around = [-2, -1, 0, 1, 2].map((by) => (hour + by + 24) % 24);
  const most = Math.max(...around.map((at) => week.most[at]!));
  const spread = Math.max(moves / spreads, ...around.map((at) => week.spread[at]!));
  const off = Math.abs(mean - usual);
  // Few weeks don't tell their own mean well.
  return spread > 0 && off > spreads * spread * Math.sqrt(1 + 1 / Math.max(1, week.weeks)) && off > BEYOND * most;
}

function isFlat({ count, min, max }: Hour, { moves, leastMoves }: Profile, share: number): boolean {
  return count >= ENOUGH && max > min && max - min < share * moves && max - min < leastMoves / 2;
}

function isOtherUnit(hours: readonly Hour[], { lowest, highest }: Profile, margin: number): boolean {
  const range = highest - lowest;
  const fits = (value: number, by: number) => value >= lowest - by && value <= highest + by;
  if (range === 0 || hours.some(({ min, max }) => fits(min, range) || fits(max, range))) return false;
  return UNITS.some(([times, plus]) =>
    hours.every(({ min, max }) => [min, max].every((value) => fits((value - plus) / times, margin * range))),
  );
}
