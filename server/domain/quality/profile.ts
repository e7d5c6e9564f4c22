import type { EpochMs } from "../terms";
import { middleOf, pairOf, spreadOf } from "./statistics";

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_HOURS = 168;

/** What a series was in an hour. */
export interface Hour {
  readonly time: EpochMs;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** Hours before anything is usual, those before two metrics are a pair, and days before a day is unusual. */
const KNOWN_HOURS = 48;
const PAIR_HOURS = 72;
const KNOWN_DAYS = 14;
/** Correlation from which on two metrics are a pair. */
const PAIR_FROM = 0.8;
/** What goes one way so often, as a counter and a battery do, has no usual values. */
const ONE_WAY = 0.9;

/** Usual values: their middle, how far they are from it (root mean square), and how far at most. */
export interface Usual {
  readonly mean: number;
  readonly spread: number;
  readonly most: number;
  readonly n: number;
}

/** What a series' past of some weeks says is usual of it. Plain data. */
export interface Profile {
  /** Hours it was made of. */
  readonly hours: number;
  /** Lowest and highest value but for those of one hour: an outlier isn't usual. */
  readonly lowest: number;
  readonly highest: number;
  /** How far it usually moves within an hour, and the least it ever did but for one hour. */
  readonly moves: number;
  readonly leastMoves: number;
  /** Means of days; null: too few. */
  readonly day: Usual | null;
  /** Means by the hour of the week (UTC), null where no three weeks tell; null: nowhere. */
  readonly week: {
    readonly means: readonly (number | null)[];
    readonly weeks: number;
    /** By the hour of the day: how far weeks are from their mean (root mean square), and at most. */
    readonly spread: readonly number[];
    readonly most: readonly number[];
  } | null;
  /** The metric of its device from which it can be told: slope × that one's mean + offset; null: there is none. */
  readonly pair: (Usual & { readonly metric: number; readonly slope: number }) | null;
  /** How far it usually is from the median of its neighbors; null: there are too few. */
  readonly neighbors: Usual | null;
}

/** Neighbors from which on their median says something. */
const NEIGHBORS = 4;

/** The hours of series by the metric's id, each by time. */
export type HoursByMetric = ReadonlyMap<number, readonly Hour[]>;

/**
 * Learns what is usual of a device's series. One without a profile moves one way only, or its past is too short.
 * @param neighbors the same metrics of devices of its type and site
 */
export function profilesOf(own: HoursByMetric, neighbors: readonly HoursByMetric[]): Map<number, Profile> {
  const profiles = new Map<number, Profile>();
  for (const [metric, hours] of own) {
    if (hours.length < KNOWN_HOURS || goesOneWay(hours)) continue;
    const [mins, maxs, moves] = [
      sortedOf(hours, (one) => one.min),
      sortedOf(hours, (one) => one.max),
      sortedOf(hours, (one) => one.max - one.min),
    ];
    profiles.set(metric, {
      hours: hours.length,
      lowest: mins[1]!,
      highest: maxs.at(-2)!,
      moves: middleOf(moves),
      leastMoves: moves[1]!,
      day: usualOf(daysOf(hours), KNOWN_DAYS),
      week: weekOf(hours),
      pair: bestPair(metric, own),
      neighbors: usualOf(
        hours.flatMap((hour) => {
          const middle = medianOf(neighbors, metric, hour.time);
          return middle === null ? [] : [hour.mean - middle];
        }),
        KNOWN_HOURS,
      ),
    });
  }
  return profiles;
}

/** The median of the neighbors' means of an hour; null: too few have it. */
export function medianOf(neighbors: readonly HoursByMetric[], metric: number, time: EpochMs): number | null {
  const means = neighbors.flatMap((own) => hourAt(own.get(metric), time)?.mean ?? []);
  return means.length < NEIGHBORS ? null : middleOf(Float64Array.from(means).sort());
}

/** The hour that begins at `time`, of hours by time. */
export function hourAt(hours: readonly Hour[] | undefined, time: EpochMs): Hour | undefined {
  if (!hours) return undefined;
  let [low, high] = [0, hours.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (hours[middle]!.time < time) low = middle + 1;
    else high = middle;
  }
  return hours[low]?.time === time ? hours[low] : undefined;
}

/** The place of an hour in the week (UTC), from 0 to 167. */
export function hourOfWeek(time: EpochMs): number {
  return Math.floor(time / HOUR_MS) % WEEK_HOURS;
}

function sortedOf(hours: readonly Hour[], of: (hour: Hour) => number): Float64Array {
  return Float64Array.from(hours, of).sort();
}

function goesOneWay(hours: readonly Hour[]): boolean {
  const days = daysOf(hours);
  const of = days.length > 7 ? days : hours.map(({ mean }) => mean);
  let [rises, falls] = [0, 0];
  for (let i = 1; i < of.length; i++) {
    if (of[i]! > of[i - 1]!) rises++;
    else if (of[i]! < of[i - 1]!) falls++;
  }
  return rises + falls > 0 && Math.max(rises, falls) / (rises + falls) >= ONE_WAY;
}

/** Means of the days that have most of their hours. */
function daysOf(hours: readonly Hour[]): number[] {
  const days = new Map<number, number[]>();
  for (const { time, mean } of hours) {
    const day = Math.floor(time / DAY_MS);
    const own = days.get(day);
    if (own) own.push(mean);
    else days.set(day, [mean]);
  }
  return [...days.values()]
    .filter(({ length }) => length >= 20)
    .map((means) => means.reduce((a, b) => a + b) / means.length);
}

function usualOf(values: readonly number[], least: number): Usual | null {
  if (values.length < least) return null;
  const mean = values.reduce((a, b) => a + b) / values.length;
  const most = values.reduce((so, value) => Math.max(so, Math.abs(value - mean)), 0);
  return { mean, spread: spreadOf(values, mean), most, n: values.length };
}

function weekOf(hours: readonly Hour[]): Profile["week"] {
  const slots = Array.from({ length: WEEK_HOURS }, () => [] as number[]);
  for (const { time, mean } of hours) slots[hourOfWeek(time)]!.push(mean);
  const means = slots.map((values) => (values.length < 3 ? null : values.reduce((a, b) => a + b) / values.length));
  const spread: number[] = [];
  const most: number[] = [];
  for (let hour = 0; hour < 24; hour++) {
    let [squares, free, far] = [0, 0, 0];
    for (let slot = hour; slot < WEEK_HOURS; slot += 24) {
      const mean = means[slot]!;
      if (mean === null) continue;
      for (const value of slots[slot]!) {
        squares += (value - mean) ** 2;
        far = Math.max(far, Math.abs(value - mean));
      }
      free += slots[slot]!.length - 1;
    }
    // What was flat at an hour for weeks may still be less so.
    spread.push(free === 0 ? 0 : Math.sqrt(squares / free));
    most.push(far);
  }
  const known = means.filter((mean) => mean !== null).length;
  return known === 0 ? null : { means, weeks: Math.floor(hours.length / WEEK_HOURS), spread, most };
}

function bestPair(metric: number, own: HoursByMetric): Profile["pair"] {
  const hours = own.get(metric)!;
  let best: Profile["pair"] = null;
  let strongest = PAIR_FROM;
  for (const [other, theirs] of own) {
    if (other === metric) continue;
    const both = hours.flatMap((hour) => {
      const there = hourAt(theirs, hour.time);
      return there ? [[there.mean, hour.mean] as const] : [];
    });
    if (both.length < PAIR_HOURS) continue;
    const { correlation, slope } = pairOf(both);
    if (!(Math.abs(correlation) > strongest)) continue;
    strongest = Math.abs(correlation);
    best = {
      ...usualOf(
        both.map(([x, y]) => y - slope * x),
        1,
      )!,
      metric: other,
      slope,
    };
  }
  return best;
}
