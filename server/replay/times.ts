import { DateTime, IANAZone } from "luxon";
import { parseEventTime } from "@/server/domain/time";
import { ReplayUsageError } from "./usage-error";

/** The way the texts of a time column become event times. */
export interface TimeReading {
  /** The text as the telemetry route takes it; unchanged when it can't be read, for the route to name. */
  readonly read: (text: string) => string | number;
  /** A description for the person who sends. */
  readonly how: string;
  /** A doubt about it, and the option that would settle it; null if there is none. */
  readonly doubt: string | null;
}

const EPOCH_UNITS = { s: "seconds", ms: "milliseconds", us: "microseconds", ns: "nanoseconds" } as const;
type EpochUnit = keyof typeof EPOCH_UNITS;
const DIGITS = { s: 0, ms: 3, us: 6, ns: 9 } as const;

const NUMBER = /^\d+(?:\.\d*)?(?:e[+-]?\d{1,3})?$/i;
/** RFC 3339 with a zone, and the same without one. */
const ZONED = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,12})?(?:[Zz]|[+-]\d{2}:\d{2})$/;
const ZONELESS = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,12})?)?$/;

/** --zone as it was given. @throws ReplayUsageError */
export function parseZone(text: string): string {
  if (/^(utc|z)$/i.test(text)) return "UTC";
  if (/^[+-]([01]\d|2[0-3]):[0-5]\d$/.test(text) || IANAZone.isValidZone(text)) return text;
  throw new ReplayUsageError(
    `--zone: ${JSON.stringify(text)} is no zone; for example --zone UTC, --zone +02:00 or --zone Europe/Berlin`,
  );
}

/** --time-format as it was given. @throws ReplayUsageError */
export function parseTimeFormat(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (Object.hasOwn(EPOCH_UNITS, text)) return text;
  const sample = DateTime.utc(2026, 11, 27, 13, 14, 15);
  // A pattern that loses the date can't be one of a whole time.
  const read = DateTime.fromFormat(sample.toFormat(text), text, { zone: "utc" });
  if (/y/.test(text) && read.isValid && read.hasSame(sample, "day")) return text;
  throw new ReplayUsageError(
    `--time-format: ${JSON.stringify(text)} is neither s, ms, us, ns nor a pattern with a date; for example --time-format "dd/MM/yyyy HH:mm:ss" (hh … a for a 12-hour clock)`,
  );
}

/**
 * Finds out how a file writes its times.
 * @param samples times of its first rows.
 * @throws ReplayUsageError if two ways of reading fit and differ: that must not be guessed.
 */
export function findTimeReading(samples: readonly string[], format: string | null, zone: string): TimeReading {
  if (format !== null && Object.hasOwn(EPOCH_UNITS, format)) return epoch(format as EpochUnit);
  if (format !== null) return byPattern(format, zone, "as stated");
  const numbers = samples.filter((text) => NUMBER.test(text));
  if (numbers.length > 0) refuseDates(numbers);
  const others = samples.filter((text) => !NUMBER.test(text) && !ZONED.test(text) && !ZONELESS.test(text));
  if (others.length === 0) return usual(samples, zone);

  const fitting = patternsFor(others);
  const first = fitting[0]?.pattern;
  if (first === undefined) {
    return {
      ...usual(samples, zone),
      doubt: `${JSON.stringify(others[0])} is not a time this can read; say how it is written: --time-format "dd/MM/yyyy HH:mm:ss"`,
    };
  }
  refuseAmbiguous(fitting, others);
  const pattern = byPattern(first, zone, "found in the first rows");
  const rest = usual(samples, zone);
  return {
    ...pattern,
    read: (text) =>
      NUMBER.test(text) || ZONED.test(text) || ZONELESS.test(text) ? rest.read(text) : pattern.read(text),
  };
}

function usual(samples: readonly string[], zone: string): TimeReading {
  const local = localReader(zone);
  const isZoneless = samples.some((text) => ZONELESS.test(text));
  const numbers = samples.filter((text) => NUMBER.test(text));
  const unread = numbers.find((text) => parseEventTime(Number(text)) === null);
  return {
    read(text) {
      if (NUMBER.test(text)) return Number(text);
      if (!ZONELESS.test(text)) return text;
      if (zone === "UTC" || /^[+-]/.test(zone))
        return `${text}${/:\d{2}:/.test(text) ? "" : ":00"}${zone === "UTC" ? "Z" : zone}`;
      return written(local(DateTime.fromISO(text.replace(" ", "T"), { zone: "utc" })), text);
    },
    how: [
      ...(numbers.length > 0 ? ["epoch seconds or milliseconds"] : []),
      ...(numbers.length < samples.length
        ? [isZoneless ? `RFC 3339, in ${zone} where there is no zone` : "RFC 3339"]
        : []),
    ].join("; "),
    doubt:
      unread === undefined
        ? null
        : `${unread} is too large for epoch seconds or milliseconds; say the precision: --time-format ${unread.length > 16 ? "ns" : "us"}`,
  };
}

/** Whole digits are moved as text, so that nothing of the milliseconds is lost in a double. */
function epoch(unit: EpochUnit): TimeReading {
  const shift = DIGITS[unit] - 3;
  return {
    read(text) {
      if (!NUMBER.test(text)) return text;
      if (unit === "s" && Number(text) < 1e11) return Number(text);
      if (/^\d+$/.test(text) && shift >= 0) return written(Number(text.slice(0, text.length - shift)), text);
      return written(Math.floor(Number(text) / 10 ** shift), text);
    },
    how: `epoch ${EPOCH_UNITS[unit]}, as stated`,
    doubt: null,
  };
}

/** Milliseconds as RFC 3339: the route would take a small number for seconds. */
function written(ms: number | null, text: string): string {
  return ms === null || !(Math.abs(ms) <= 8.64e15) ? text : new Date(ms).toISOString();
}

function byPattern(pattern: string, zone: string, why: string): TimeReading {
  const hasZone = ownZone(pattern);
  const toMs = patternReader(pattern, zone);
  return {
    read: (text) => written(toMs(text), text),
    how: `${pattern}${hasZone ? "" : `, in ${zone}`}, ${why}`,
    doubt: null,
  };
}

function ownZone(pattern: string): boolean {
  return /[zZ]/.test(pattern.replace(/'[^']*'/g, ""));
}

/** A reader of texts of one pattern, as milliseconds since 1970; null for what doesn't fit it. */
function patternReader(pattern: string, zone: string): (text: string) => number | null {
  const parser = DateTime.buildFormatParser(pattern, { locale: "en-US" });
  const setZone = ownZone(pattern);
  const local = localReader(pattern.endsWith("'Z'") ? "UTC" : zone);
  return (text) => {
    const parsed = DateTime.fromFormatParser(meridiem(text), parser, { zone: "utc", setZone, locale: "en-US" });
    if (!parsed.isValid) return null;
    return setZone ? parsed.toMillis() : local(parsed);
  };
}

/** Luxon wants AM and PM; a.m., pm and the like are the same. */
function meridiem(text: string): string {
  return text.replace(/\s?(?<![a-z])([ap])\.?m\.?(?=\s|$)/i, (_all, half: string) => ` ${half.toUpperCase()}M`);
}

/** Places wall-clock time (as if in UTC) in a zone; a time that its clocks skipped is not one. */
function localReader(zone: string): (wall: DateTime) => number | null {
  const luxonZone = /^[+-]/.test(zone) ? `UTC${zone}` : zone;
  return (wall) => {
    if (!wall.isValid) return null;
    const there = wall.setZone(luxonZone, { keepLocalTime: true });
    return there.isValid && there.hour === wall.hour && there.minute === wall.minute ? there.toMillis() : null;
  };
}

const DATES = [
  ...["yyyy-M-d", "yyyy/M/d", "yyyy.M.d", "yyyyMMdd", "d.M.yyyy", "d/M/yyyy", "M/d/yyyy", "d-M-yyyy", "M-d-yyyy"],
  ...["d.M.yy", "d/M/yy", "M/d/yy", "d MMM yyyy", "d-MMM-yyyy", "d-MMM-yy", "d/MMM/yyyy", "MMM d, yyyy", "MMM d yyyy"],
  ...["d MMMM yyyy", "MMMM d, yyyy", "EEE, d MMM yyyy"],
];
const CLOCKS = [
  ...["H:mm:ss.u", "H:mm:ss,u", "H:mm:ss", "H:mm", "H.mm.ss", "H.mm", "HHmmss", "HHmm"],
  ...["h:mm:ss.u a", "h:mm:ss a", "h:mm a", "h.mm.ss a", "h a"],
];
const ZONES = ["", "'Z'", " ZZZ", " ZZ", "ZZZ", "ZZ", " z"];
const JOINTS = [" ", "'T'", ", "];
const PATTERNS = DATES.flatMap((date) => [
  date,
  ...CLOCKS.flatMap((clock) => JOINTS.flatMap((joint) => ZONES.map((zone) => date + joint + clock + zone))),
]);

interface Fitting {
  readonly pattern: string;
  readonly toMs: (text: string) => number | null;
}

/** Every known pattern that reads all of `samples`. */
function patternsFor(samples: readonly string[]): Fitting[] {
  return PATTERNS.flatMap((pattern) => {
    const toMs = patternReader(pattern, "UTC");
    return samples.every((text) => toMs(text) !== null) ? [{ pattern, toMs }] : [];
  });
}

/** Day and month in another order fit: even if these samples come out the same, later rows would not. */
function refuseAmbiguous(fitting: readonly Fitting[], samples: readonly string[]): void {
  const orderOf = (pattern: string) =>
    pattern
      .replace(/'[^']*'/g, "")
      .replace(/[^yMd]/g, "")
      .replace(/(.)\1+/g, "$1");
  const [first, ...others] = fitting;
  const other = others.find(({ pattern }) => orderOf(pattern) !== orderOf(first!.pattern));
  if (!first || !other) return;
  const sample = samples.find((text) => other.toMs(text) !== first.toMs(text)) ?? samples[0]!;
  const [a, b] = [first, other].map(({ toMs }) => new Date(toMs(sample)!).toISOString().slice(0, 10));
  throw new ReplayUsageError(
    `The times can be read in two ways: ${JSON.stringify(sample)} may be ${a} or ${b}. Say which: --time-format "${first.pattern}" or --time-format "${other.pattern}"`,
  );
}

/** Digits that are as well a date as a count: 20261127 is 27 November, or August 1970. */
function refuseDates(numbers: readonly string[]): void {
  for (const pattern of ["yyyyMMdd", "yyyyMMddHHmm", "yyyyMMddHHmmss"]) {
    const parsed = numbers.map((text) =>
      text.length === pattern.length ? DateTime.fromFormat(text, pattern, { zone: "utc" }) : null,
    );
    if (!parsed.every((time) => time?.isValid && time.year >= 1970 && time.year < 2100)) continue;
    throw new ReplayUsageError(
      `The times can be read in two ways: ${numbers[0]} may be ${parsed[0]!.toISODate()} or a number of ${pattern.length === 8 ? "seconds" : "milliseconds"} since 1970. Say which: --time-format ${pattern} or --time-format ${pattern.length === 8 ? "s" : "ms"}`,
    );
  }
}
