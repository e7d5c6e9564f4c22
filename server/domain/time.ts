import type { EpochMs } from "./terms";

/** Matches an RFC 3339 §5.6 date-time; the zone is required, the separator may be a space. */
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,12})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** The number below which a time is epoch seconds (the year 5138), and from which on it is epoch milliseconds (1973). */
const SECONDS_BELOW = 1e11;

/** 9999-12-31T23:59:59.999Z, the last moment RFC 3339 can write. */
const LAST_MS = 253_402_300_799_999;

/**
 * Reads an event time: RFC 3339 with a zone, or epoch seconds or milliseconds as a number.
 * @returns whole milliseconds since 1970 (finer digits are cut off), or null if it is not a time or before 1970.
 */
export function parseEventTime(value: unknown): EpochMs | null {
  if (typeof value === "number") return parseEpoch(value);
  if (typeof value === "string") return parseRfc3339(value);
  return null;
}

/** A date in the order of RFC 3339 whose year is before 1970. */
const BEFORE_1970 = /^(?:0\d{3}|1[0-8]\d{2}|19[0-6]\d)-\d{2}-\d{2}/;
const WITHOUT_ZONE = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?$/;

/** True for a written time that no reader here takes, as it is before 1970: a clock's zero, such as 0001-01-01. */
export function isBefore1970(text: string): boolean {
  return BEFORE_1970.test(text);
}

/** Says why {@link parseEventTime} makes nothing of a value, as the end of a sentence about it. */
export function timeProblem(value: unknown): string {
  if (typeof value === "number" && value < 0) return "is before 1970";
  if (typeof value === "number" && value > LAST_MS)
    return "is more than epoch milliseconds can be: microseconds and nanoseconds are read by the mapping of a source";
  if (typeof value === "string") {
    if (isBefore1970(value)) return "is before 1970";
    if (/^[+-]?\d+(?:\.\d+)?$/.test(value)) return "is text: an epoch has to be a number";
    if (WITHOUT_ZONE.test(value)) return "has no zone, such as Z or +01:00";
  }
  return "is not a time this can read: that is RFC 3339 with a zone, or epoch seconds or milliseconds";
}

function parseEpoch(value: number): EpochMs | null {
  if (!Number.isFinite(value) || value < 0) return null;
  // A double of seconds is exact to a quarter of a microsecond, in far years to a few: a little more keeps .001 s from becoming 0 ms.
  const ms = Math.floor(value < SECONDS_BELOW ? value * 1000 + 0.0005 + value * 2e-13 : value);
  return ms <= LAST_MS ? ms : null;
}

/** Reads digits where they stand, as no array of parts is made for each message. */
function parseRfc3339(text: string): EpochMs | null {
  if (!RFC3339.test(text)) return null;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return null;
  // Date.UTC reads years below 100 as 19xx. No zone brings a year before this one past 1970.
  if (year < 1969) return null;
  const ms = Date.UTC(year, month - 1, day, hour, minute, Math.min(second, 59));
  // Date.UTC rolls 31 February over into March; a device that says so is wrong.
  if (day < 1 || (day > 28 && new Date(ms).getUTCDate() !== day)) return null;
  const zone = zoneStart(text);
  const offset = zoneOffsetMs(text, zone);
  if (offset === null) return null;
  // A leap second (:60) is read as the last millisecond of the minute.
  const millis = second === 60 ? 999 : millisOf(text, zone);
  const result = ms + millis - offset;
  return result >= 0 && result <= LAST_MS ? result : null;
}

function digits(text: string, from: number, to: number): number {
  let number = 0;
  for (let i = from; i < to; i++) number = number * 10 + text.charCodeAt(i) - 48;
  return number;
}

/** Finds where the zone begins in a text that {@link RFC3339} matches: Z, or a sign, hours and minutes. */
function zoneStart(text: string): number {
  return text.length - (/[Zz]$/.test(text) ? 1 : 6);
}

/** Reads the fraction between the seconds and the zone, cut off after milliseconds. */
function millisOf(text: string, zone: number): number {
  const to = Math.min(zone, 23);
  return to <= 20 ? 0 : digits(text, 20, to) * 10 ** (23 - to);
}

function zoneOffsetMs(text: string, zone: number): number | null {
  if (zone === text.length - 1) return 0;
  const hours = digits(text, zone + 1, zone + 3);
  const minutes = digits(text, zone + 4, zone + 6);
  if (hours > 23 || minutes > 59) return null;
  return (text[zone] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

const FIRST_INGEST_MS = Date.UTC(2000, 0, 1);
const INGEST_AHEAD_MS = 24 * 3_600_000;

/** Tells whether a log may have taken a record at `time`: neither before 2000 nor more than a day ahead of `now`. */
export function mayBeIngestTime(stamp: number, now: EpochMs): boolean {
  return stamp >= FIRST_INGEST_MS && stamp <= now + INGEST_AHEAD_MS;
}

/**
 * Reads when a log took a record from the stamp it carries. A stamp that can't be that is none (senders may write what they like, such as
 * microseconds): then the record counts as taken `now`, when it is read.
 */
export function ingestTimeOf(stamp: number, now: EpochMs): EpochMs {
  return mayBeIngestTime(stamp, now) ? Math.floor(stamp) : now;
}
