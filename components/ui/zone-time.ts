import type { EpochMs } from "@/server/domain/terms";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Clocks are looked at this often for a change: none changes twice within it. */
const LOOK_MS = 6 * HOUR;

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds by which a zone's wall clock is ahead of UTC at a moment. @param zone an IANA name, such as "Europe/Berlin" */
export function offsetAt(time: EpochMs, zone: string): number {
  if (zone === "UTC") return 0;
  let clock = clocks.get(zone);
  if (!clock) {
    const two = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
    clock = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      ...two,
    });
    clocks.set(zone, clock);
  }
  const at: Record<string, number> = {};
  let isBefore = false;
  for (const { type, value } of clock.formatToParts(time)) {
    if (type === "era") isBefore = value.startsWith("B");
    else at[type] = Number(value);
  }
  const year = isBefore ? 1 - at.year! : at.year!;
  const wall = new Date(0);
  wall.setUTCFullYear(year, at.month! - 1, at.day);
  wall.setUTCHours(at.hour!, at.minute, at.second);
  return wall.getTime() - Math.floor(time / 1000) * 1000;
}

/** What a wall clock of the zone shows, as if it were UTC: its date and time are those of the moment returned. */
export function wallAt(time: EpochMs, zone: string): number {
  return time + offsetAt(time, zone);
}

/**
 * The moment at which a wall clock of the zone shows `wall` (see wallAt). A time that a clock passes twice is the first of
 * both; one that it leaves out is as long after the change as it would have been.
 */
export function momentAt(wall: number, zone: string): EpochMs {
  const [before, after] = [offsetAt(wall - DAY, zone), offsetAt(wall + DAY, zone)];
  for (const offset of [before, after]) if (offsetAt(wall - offset, zone) === offset) return wall - offset;
  return wall - before;
}

/** The first moment of the day that a moment lies in, or of one `days` days after it. */
export function startOfDay(time: EpochMs, zone: string, days = 0): EpochMs {
  return dayStart(Math.floor(wallAt(time, zone) / DAY) + days, zone);
}

/** The first moment of a day, counted from 1970: midnight, or where clocks leave midnight out, the moment they do. */
function dayStart(day: number, zone: string): EpochMs {
  const start = momentAt(day * DAY, zone);
  if (wallAt(start, zone) === day * DAY) return start;
  return changeBetween(start - DAY, start, zone);
}

/** The moment from which on another offset holds, which is that of `to`. */
function changeBetween(from: EpochMs, to: EpochMs, zone: string): EpochMs {
  const offset = offsetAt(to, zone);
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, zone) === offset) high = middle;
    else low = middle;
  }
  return high;
}

/** The moments within (from, to] at which the zone's clocks change. */
function changesWithin(from: EpochMs, to: EpochMs, zone: string): EpochMs[] {
  const changes: EpochMs[] = [];
  for (let time = from; time < to; time += LOOK_MS) {
    const next = Math.min(to, time + LOOK_MS);
    if (offsetAt(time, zone) !== offsetAt(next, zone)) changes.push(changeBetween(time, next, zone));
  }
  return changes;
}

/** Moments within [from, to] at which a wall clock shows whole steps, from midnight on. @param step shorter than a day, in ms */
export function wholeSteps(from: EpochMs, to: EpochMs, step: number, zone: string): EpochMs[] {
  const found: EpochMs[] = [];
  const starts = zone === "UTC" ? [from] : [from, ...changesWithin(from, to, zone)];
  starts.forEach((start, i) => {
    const end = starts[i + 1] ?? to + 1;
    const offset = offsetAt(start, zone);
    for (let time = Math.ceil((start + offset) / step) * step - offset; time < end; time += step) found.push(time);
  });
  return found;
}

/** The first moments of every n-th day that begins within [from, to]. */
export function wholeDays(from: EpochMs, to: EpochMs, days: number, zone: string): EpochMs[] {
  const found: EpochMs[] = [];
  const first = Math.ceil(Math.floor(wallAt(from, zone) / DAY) / days) * days;
  for (let day = first; ; day += days) {
    const time = dayStart(day, zone);
    if (time > to) return found;
    if (time >= from) found.push(time);
  }
}
