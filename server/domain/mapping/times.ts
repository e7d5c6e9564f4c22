import { isBefore1970, parseEventTime } from "../time";
import type { EpochMs } from "../terms";
import type { Mapping, TIME_FORMATS } from "./mapping";
import { writeNumber } from "./numbers";
import { compilePattern, type LocalTime } from "./patterns";
import { follow, parsePath, type Place } from "./paths";
import { compileTemplate, type Scope } from "./templates";
import { momentsOf, offsetIn, type ZoneOffset } from "./zones";

/** A time that was read; one in a zone's repeated hour is `ambiguous`. */
export interface ReadTime {
  readonly time: EpochMs;
  readonly ambiguous: boolean;
}

/** Why something isn't a time, as the end of a sentence about it. */
interface NoTime {
  readonly problem: string;
}

/** What helps to tell the two apart when clocks show an hour twice. */
interface TimeContext {
  readonly arrived: EpochMs;
  readonly device: string;
}

/** The first candidate that is there; null if none is. */
export type TimeReader = (scope: Scope, context: TimeContext) => ((ReadTime | NoTime) & FoundTime) | null;

interface FoundTime {
  readonly places: readonly Place[];
  readonly written: string;
}

type ReadText = (value: string | number, token: string | undefined, context: TimeContext) => ReadTime | NoTime;

/** 9999-12-31T23:59:59.999Z, the last moment RFC 3339 can write. */
const LAST_MS = 253_402_300_799_999;
/** How many places the point moves to make milliseconds of it. */
const POWERS = { s: 3, ms: 0, us: -3, ns: -6 } as const;
const LOCAL = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,12})?)?)\s?([Zz]|[+-]\d{2}:?(?:\d{2})?)?$/;
const DECIMAL = /^\+?(\d{1,400})(?:\.(\d{0,400}))?(?:e([-+]?\d{1,3}))?$/i;

/** Reads times by a mapping's candidates. @throws RangeError for a zone that isn't there; the schema lets none through. */
export function compileTimes(candidates: Mapping["time"]): TimeReader {
  const compiled = candidates.map((candidate) => {
    const find = finderOf(candidate.from);
    return { find, read: compileFormat(candidate.format, candidate.zone, candidate.pattern) };
  });
  return (scope, context) => {
    for (const { find, read } of compiled) {
      const found = find(scope);
      if (found === null) continue;
      const { value, token, places } = found;
      if (typeof value !== "string" && typeof value !== "number")
        return {
          problem: "is no time",
          places,
          written: typeof value === "boolean" ? String(value) : "an object or a list",
        };
      const written = typeof value === "number" ? writeNumber(value, token) : value;
      const time = read(value, token, context);
      return "problem" in time
        ? { problem: time.problem, places, written }
        : { time: time.time, ambiguous: time.ambiguous, places, written };
    }
    return null;
  };
}

/** The templates that a mapping puts times together by, and the paths at which times are. */
export function timePlaces(candidates: Mapping["time"]) {
  const from = candidates.map((candidate) => candidate.from);
  return {
    templates: from.flatMap((one) => ("template" in one ? [compileTemplate(one.template)] : [])),
    paths: from.flatMap((one) => ("path" in one ? [parsePath(one.path)] : [])),
  };
}

type Find = (
  scope: Scope,
) => { readonly value: unknown; readonly token: string | undefined; readonly places: readonly Place[] } | null;

function finderOf(from: Mapping["time"][number]["from"]): Find {
  if ("template" in from) {
    const template = compileTemplate(from.template);
    return (scope) => {
      const value = template.fill(scope);
      return value === null ? null : { value, token: undefined, places: template.places(scope) };
    };
  }
  const path = parsePath(from.path);
  return ({ element, tokens }) => {
    const place = follow(element, path);
    if (place === undefined || place.value === null || place.value === "") return null;
    return { value: place.value, token: tokens.get(place.parent)?.get(place.key), places: [place] };
  };
}

/** Reads one format. */
export function compileFormat(
  format: (typeof TIME_FORMATS)[number],
  zone: string | undefined,
  pattern: string | undefined,
): ReadText {
  if (format === "rfc3339") return readRfc3339;
  const offset = zone === undefined ? null : offsetIn(zone);
  if (format === "any") return anyOf(offset === null ? readRfc3339 : zoned(readLocal, offset));
  if (format === "local" || format === "pattern")
    return zoned(format === "local" ? readLocal : (compilePattern(pattern ?? "")?.read ?? (() => null)), offset);
  const power = POWERS[format];
  return (value, token) => {
    const text = typeof value === "number" ? (token ?? String(value)) : value.trim();
    const time =
      typeof value === "number" && token === undefined && power >= 0 && Number.isSafeInteger(value)
        ? value * 10 ** power + 0
        : epochMs(text, power);
    if (time === null || time < 0) return { problem: "is no number of a time since 1970" };
    if (time > LAST_MS) return { problem: `is after the year 9999 as ${format}` };
    return { time, ambiguous: false };
  };
}

/** Shifts a decimal's point and cuts off what is finer than a millisecond, by its digits: no double holds 19 of them. */
function epochMs(text: string, power: number): number | null {
  const [, whole, fraction = "", exponent = "0"] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return null;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent) + power;
  if (point <= 0) return 0;
  const kept = digits.slice(0, point).replace(/^0+/, "");
  if (kept.length > 16 || (kept !== "" && point - digits.length > 16)) return Infinity;
  return kept === "" ? 0 : Number(kept.padEnd(kept.length + Math.max(0, point - digits.length), "0"));
}

/** Epochs below these are of this unit; 1e11 s is the year 5138, and 1e11 ms was in 1973. */
const SIZES = [
  [1e11, "s"],
  [1e14, "ms"],
  [1e17, "us"],
  [Infinity, "ns"],
] as const;
const READ_EPOCH = {
  ...{ s: compileFormat("s", undefined, undefined), ms: compileFormat("ms", undefined, undefined) },
  ...{ us: compileFormat("us", undefined, undefined), ns: compileFormat("ns", undefined, undefined) },
};

function anyOf(readWritten: ReadText): ReadText {
  return (value, token, context) => {
    if (typeof value === "string" && !DECIMAL.test(value.trim())) {
      const time = parseEventTime(value);
      return time === null ? readWritten(value, token, context) : { time, ambiguous: false };
    }
    const [, unit] = SIZES.find(([below]) => Number(value) < below) ?? SIZES[0];
    return READ_EPOCH[unit](value, token, context);
  };
}

/** Matches a zone as RFC 3339 doesn't write it, +0000 or +00, after a time of day. */
const SHORT_ZONE = /(?<=\d:\d{2}(?:\.\d{1,12})?)([+-]\d{2})(\d{2})?$/;

function readRfc3339(value: string | number): ReadTime | NoTime {
  const text = String(value);
  const time =
    parseEventTime(text) ??
    parseEventTime(text.trim().replace(SHORT_ZONE, (_all, hours: string, minutes = "00") => `${hours}:${minutes}`));
  if (time !== null) return { time, ambiguous: false };
  return { problem: isBefore1970(text) ? "is before 1970" : "is no RFC 3339 time with a zone" };
}

function readLocal(text: string): LocalTime | null {
  const [, date, clock, zone] = LOCAL.exec(text.trim()) ?? [];
  if (date === undefined || clock === undefined) return null;
  const seconds = clock.length === 5 ? `${clock}:00` : clock.replace(",", ".");
  const local = parseEventTime(`${date}T${seconds}Z`);
  if (local === null) return null;
  if (zone === undefined) return { local, ahead: null };
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  return { local, ahead: (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000 };
}

/** A message counts as just sent if it came this soon after its time, and no earlier than this before. */
const JUST_SENT_MS = 30 * 60_000;
const CLOCK_AHEAD_MS = 5 * 60_000;
const MOST_DEVICES = 10_000;

function zoned(read: (text: string) => LocalTime | null, offset: ZoneOffset | null): ReadText {
  /** The last moment in a repeated hour by device, for what is read in the order of a recording. */
  const last = new Map<string, EpochMs>();
  return (value, _token, { arrived, device }) => {
    const text = String(value).trim();
    const read_ = read(text);
    if (read_ === null)
      return { problem: isBefore1970(text) ? "is before 1970" : "is not written as the mapping says" };
    const { local, ahead } = read_;
    const moments = ahead !== null ? [local - ahead] : offset === null ? [] : momentsOf(local, offset);
    const [first, second] = moments;
    if (first === undefined) {
      const why = offset === null ? "has no zone" : "is in an hour that the zone's clocks left out";
      return { problem: why };
    }
    if (first < 0 || first > LAST_MS) return { problem: "is before 1970 or after the year 9999" };
    if (second === undefined) return { time: first, ambiguous: false };
    const justSent = moments.find((moment) => arrived - moment <= JUST_SENT_MS && moment - arrived <= CLOCK_AHEAD_MS);
    const before = last.get(device) ?? -Infinity;
    const time = justSent ?? moments.find((moment) => moment >= before) ?? second;
    if (last.size >= MOST_DEVICES) last.clear();
    last.set(device, time);
    return { time, ambiguous: true };
  };
}
