import type { EpochMs } from "@/server/domain/terms";
import { momentAt, startOfDay, wallAt } from "./zone-time";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A range that ends now, by its length; null is everything there is. */
export interface Range {
  readonly key: string;
  readonly ms: number | null;
}

/** The ranges offered; others can be typed. */
export const RANGES = [
  { key: "10m", label: "10 min", ms: 10 * MINUTE },
  { key: "1h", label: "1 h", ms: HOUR },
  { key: "6h", label: "6 h", ms: 6 * HOUR },
  { key: "24h", label: "24 h", ms: DAY },
  { key: "7d", label: "7 d", ms: 7 * DAY },
  { key: "30d", label: "30 d", ms: 30 * DAY },
  { key: "90d", label: "90 d", ms: 90 * DAY },
  { key: "all", label: "All", ms: null },
] as const;

const HOUR_RANGE = RANGES[1];

/** Units a length may be typed in, in milliseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ...{ s: 1000, m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY },
};
const LONGEST_MS = 100 * 366 * DAY;

/** The range of that key ("2h", "all"); one hour when there is none. */
export function rangeOf(key: string | null): Range {
  return RANGES.find((range) => range.key === key) ?? typedLength(key ?? "") ?? HOUR_RANGE;
}

function typedLength(text: string): Range | null {
  const [, number, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) return null;
  const ms = Number(number) * UNITS[unit]!;
  return ms >= 1000 && ms <= LONGEST_MS ? { key: text, ms } : null;
}

/** A device not heard of (by its own clock) for this long is a recording or gone: charts then end at its last reading. */
export const RECENT_MS = HOUR;

/** Two moments, from before to. */
export interface Stretch {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** Days that can be asked for by name, and how far they are from today. */
const DAYS: Readonly<Record<string, number>> = { today: 0, yesterday: -1 };

/**
 * The stretch an address names by `from` and `to` (RFC 3339), or by a day (`range=yesterday`) as the zone (an IANA name) has
 * it; null if it names none that makes sense.
 */
export function stretchIn(address: URLSearchParams, now: EpochMs, zone: string): Stretch | null {
  const [from, to] = ["from", "to"].map((key) => Date.parse(address.get(key) ?? "")) as [number, number];
  if (from >= 0 && from < to) return { from, to };
  const key = address.get("range") ?? "";
  if (!Object.hasOwn(DAYS, key) || now === 0) return null;
  return dayOf(now, zone, DAYS[key]);
}

/** The parameters of an address that name a range. */
export function stretchAddress({ from, to }: Stretch): { from: string; to: string } {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** What an address asks for once a range was typed. */
export type Typed = { readonly range: string } | Stretch | { readonly problem: string };

const HELP = "Type a length (-2h, -90m, -3d), today, yesterday, a day (2026-11-29), or two moments with “to” between.";

/**
 * Reads a typed range: "-2h", "yesterday", "2026-11-29", "2026-11-29 08:00 to 09:30", in the zone (an IANA name).
 * @param now what a moment alone goes on to.
 */
export function readRange(text: string, now: EpochMs, zone: string): Typed {
  const typed = text.trim().toLowerCase();
  if (Object.hasOwn(DAYS, typed) || typed === "all") return { range: typed };
  const length = /^[-−–]?\s*(\d+)\s*(s|sec|m|min|h|d|w)$/.exec(typed);
  if (length) {
    const range = typedLength(`${length[1]}${length[2]![0]}`);
    return range ? { range: range.key } : { problem: "That is longer than readings are kept." };
  }
  const [begin = "", end, ...more] = typed.split(/\s+(?:to|until|–|—|-)\s+|\s*(?:→|\.\.)\s*/);
  const first = momentIn(begin, null, now, zone);
  if (first === null || more.length > 0) return { problem: HELP };
  if (end === undefined) {
    const stretch = first.isDay ? dayOf(first.time, zone, 0) : { from: first.time, to: now };
    return checked(stretch);
  }
  const last = momentIn(end, first.time, now, zone);
  if (last === null) return { problem: HELP };
  return checked({ from: first.time, to: last.isDay ? dayOf(last.time, zone, 0).to : last.time });
}

function checked(stretch: Stretch): Stretch | { readonly problem: string } {
  if (stretch.from < 0) return { problem: "Readings begin in 1970." };
  return stretch.from < stretch.to ? stretch : { problem: "The first moment must be before the second." };
}

function dayOf(time: EpochMs, zone: string, days = 0): Stretch {
  return { from: startOfDay(time, zone, days), to: startOfDay(time, zone, days + 1) };
}

/** A moment as it is typed; a time alone is of the day of `beside`, or of today. */
function momentIn(
  text: string,
  beside: EpochMs | null,
  now: EpochMs,
  zone: string,
): { readonly time: EpochMs; readonly isDay: boolean } | null {
  if (text === "now") return { time: now, isDay: false };
  const found = /^(?:(\d{4})-(\d\d?)-(\d\d?))?[t\s]*(?:(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?$/.exec(text);
  if (!found || text === "") return null;
  const [, year, month = "1", day = "1", hour, minute = "0", second = "0", fraction = "0"] = found;
  const isDay = hour === undefined;
  const clock = wallOf(1970, 1, 1, Number(hour ?? 0), Number(minute), Number(second));
  const date =
    year === undefined
      ? Math.floor(wallAt(beside ?? now, zone) / DAY) * DAY
      : wallOf(Number(year), Number(month), Number(day), 0, 0, 0);
  if (clock === null || date === null) return null;
  const wall = date + clock + Number(fraction.padEnd(3, "0"));
  return { time: isDay ? startOfDay(momentAt(wall + DAY / 2, zone), zone) : momentAt(wall, zone), isDay };
}

/** What a wall clock shows at a date and time, see wallAt; null if there is no such one. */
function wallOf(year: number, month: number, day: number, hour: number, minute: number, second: number): number | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  const isDate = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1;
  if (!isDate || hour > 23 || minute > 59 || second > 59) return null;
  return date.getTime() + hour * HOUR + minute * MINUTE + second * 1000;
}
