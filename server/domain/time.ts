import type { EpochMs } from "./terms";

/** Matches an RFC 3339 §5.6 date-time; the zone is required, the separator may be a space. */
const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,12}))?([Zz]|[+-]\d{2}:\d{2})$/;

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

function parseEpoch(value: number): EpochMs | null {
  if (!Number.isFinite(value) || value < 0) return null;
  // A double of seconds is exact to a quarter of a microsecond, in far years to a few: a little more keeps .001 s from becoming 0 ms.
  const ms = Math.floor(value < SECONDS_BELOW ? value * 1000 + 0.0005 + value * 2e-13 : value);
  return ms <= LAST_MS ? ms : null;
}

function parseRfc3339(text: string): EpochMs | null {
  const match = RFC3339.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = match;
  const parts = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const ms = Date.UTC(parts[0], parts[1] - 1, parts[2], parts[3], parts[4], Math.min(parts[5], 59));
  const read = new Date(ms);
  // Date.UTC rolls 31 February over into March and years below 100 into 19xx; a device that says so is wrong.
  if (read.getUTCFullYear() !== parts[0] || read.getUTCMonth() !== parts[1] - 1 || read.getUTCDate() !== parts[2])
    return null;
  if (parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return null;
  const offset = zoneOffsetMs(zone);
  if (offset === null) return null;
  // A leap second (:60) is read as the last millisecond of the minute.
  const millis = parts[5] === 60 ? 999 : Number(fraction.padEnd(3, "0").slice(0, 3));
  const result = ms + millis - offset;
  return result >= 0 && result <= LAST_MS ? result : null;
}

function zoneOffsetMs(zone: string): number | null {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
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
