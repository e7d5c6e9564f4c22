import type { EpochMs } from "@/server/domain/terms";

import { formatSeconds } from "@/server/domain/duration";
import { withoutDust } from "@/server/domain/dust";
export { formatBytes } from "@/server/domain/bytes";
export { formatDuration, formatSeconds } from "@/server/domain/duration";

/** The zone that times are written in. */
export type Zone = "local" | "UTC";

const PREFIXES = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "K"],
] as const;

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const exact = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 17, maximumFractionDigits: 17 });

/**
 * Every digit there is, for tables, tooltips and read-outs; very large and very small ones with a power of ten. Dust that
 * binary fractions leave of a mean isn't a digit.
 */
export function formatExact(value: number): string {
  const clean = withoutDust(value);
  const size = Math.abs(clean);
  if (size >= 1e15 || (size < 1e-6 && size > 0)) return String(clean).replace("e+", "e");
  return exact.format(clean);
}

/** A whole number: exact below 10,000, then three significant digits with an SI prefix ("12.4 K"). */
export function formatCount(value: number): string {
  return Math.abs(value) < 10_000 ? grouped.format(value) : prefixed(value);
}

/** A whole number with every digit, grouped. */
export function formatTotal(value: number): string {
  return grouped.format(value);
}

/** How many times a limit something is, never more than it is: "1.02", "3.4". */
export function formatFactor(factor: number): string {
  const digits = factor < 2 ? 2 : 1;
  return (Math.floor(factor * 10 ** digits) / 10 ** digits).toFixed(digits);
}

/** A rate: three significant digits, two below one, with an SI prefix from 1,000 ("12.4 K"). */
export function formatRate(value: number): string {
  if (Math.abs(value) < 0.995) return value === 0 ? "0" : String(Number(value.toPrecision(2)));
  return Math.abs(value) < 999.5 ? significant(value) : prefixed(value);
}

/** Decimals that any of these numbers was sent with: the resolution of what measured them. At most ten. */
export function decimalsIn(values: readonly number[]): number {
  let most = 0;
  for (const value of values) {
    const text = String(withoutDust(value));
    if (!text.includes("e")) most = Math.max(most, text.length - (text.indexOf(".") + 1 || text.length));
  }
  return Math.min(most, 10);
}

/** A number that was computed of others, such as their mean, exact to so many decimals: those of what it is of, and one more. */
export function formatDecimals(value: number, decimals: number): string {
  return formatExact(Math.abs(value) < 1e15 ? Number(value.toFixed(decimals)) : value);
}

/** A share of all, given as 0 to 1, with the digits that say something: "0 %", "< 0.1 %", "0.4 %", "12 %", "> 99.9 %", "100 %". */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  if (percent < 100 && percent > 99.9) return "> 99.9 %";
  return percent < 9.95 || percent > 99 ? `${Math.round(percent * 10) / 10} %` : `${Math.round(percent)} %`;
}

/**
 * A reading in a headline: three significant digits. No prefix below a million, because "1.01 K hPa" is not how anyone reads a barometer;
 * whole numbers are grouped there.
 */
export function formatMeasure(value: number): string {
  const size = Math.abs(value);
  if (size < 999.5) return significant(value);
  return size < 1_000_000 ? grouped.format(value) : prefixed(value);
}

/** A value of a metric in a headline: with the decimals it is measured with, where somebody said how many; else as {@link formatMeasure}. */
export function formatMetric(value: number, decimals: number | null): string {
  if (decimals === null || Math.abs(value) >= 1_000_000) return formatMeasure(value);
  return value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Says when something comes: "in 3 min 20 s", "now". */
export function formatUntil(ms: number): string {
  return ms < 1000 ? "now" : `in ${formatSeconds(Math.round(ms / 1000))}`;
}

/** Writes an age in one unit, so that a column of ages stays quiet. A clock slightly ahead reads "now". */
export function formatAge(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  const days = Math.floor(seconds / 86_400);
  return days < 365 ? `${days} d ago` : `${Math.floor(days / 365)} y ago`;
}

/** A moment to the millisecond with its zone: "2026-11-23 21:10:00.123 UTC". */
export function formatInstant(time: EpochMs, zone: Zone): string {
  const p = parts(time, zone);
  const ms = String(((time % 1000) + 1000) % 1000).padStart(3, "0");
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}.${ms} ${zoneLabel(zone, time)}`;
}

/** A moment to the minute, without the zone (the page names it): "19 Jul 2020 23:59". */
export function formatMoment(time: EpochMs, zone: Zone): string {
  const p = parts(time, zone);
  return `${Number(p.day)} ${MONTHS[Number(p.month) - 1]} ${p.year} ${p.hour}:${p.minute}`;
}

/** An axis tick: as much of the moment as a span of that many milliseconds needs. */
export function formatTick(time: EpochMs, zone: Zone, spanMs: number): string {
  const p = parts(time, zone);
  const date = `${Number(p.day)} ${MONTHS[Number(p.month) - 1]}`;
  if (spanMs <= 5 * 60_000) return `${p.hour}:${p.minute}:${p.second}`;
  if (spanMs <= 26 * 3_600_000) return `${p.hour}:${p.minute}`;
  if (spanMs <= 4 * 86_400_000) return `${date} ${p.hour}:${p.minute}`;
  return spanMs <= 300 * 86_400_000 ? date : `${date} ${p.year}`;
}

/** An end of a stretch, as {@link formatTick} has it; with its day where that isn't the day of `now`, and with its year where that is another. */
export function formatEdge(time: EpochMs, zone: Zone, spanMs: number, now: EpochMs): string {
  const tick = formatTick(time, zone, spanMs);
  const [at, today] = [parts(time, zone), parts(now, zone)];
  if (spanMs > 300 * 86_400_000) return tick;
  const isSameYear = at.year === today.year;
  const date = `${Number(at.day)} ${MONTHS[Number(at.month) - 1]}${isSameYear ? "" : ` ${at.year}`}`;
  if (spanMs > 26 * 3_600_000) return isSameYear ? tick : date;
  return isSameYear && at.month === today.month && at.day === today.day ? tick : `${date} ${tick}`;
}

/** A moment of lately or to come: the time alone where it was within the last day, or comes today; else with its date. */
export function formatSince(time: EpochMs, zone: Zone, now: EpochMs): string {
  const DAY_MS = 86_400_000;
  if (time > now) return formatEdge(time, zone, DAY_MS, now);
  return formatTick(time, zone, now - time < DAY_MS ? DAY_MS : 2 * DAY_MS);
}

/** RFC 3339, or "2026-11-30 12:31 UTC". */
const TIME_IN_WORDS = /\b\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z| \d\d:\d\d(?= UTC\b))(?: UTC\b)?/g;

/** Writes the times in a sentence of the server's, which knows no reader's zone, by the page's, to the minute. */
export function withZonedTimes(text: string, zone: Zone): string {
  return text.replace(TIME_IN_WORDS, (found) => {
    const time = Date.parse(found.endsWith("Z") ? found : `${found.slice(0, 10)}T${found.slice(11, 16)}Z`);
    return Number.isNaN(time) ? found : formatMoment(time, zone);
  });
}

/** The zone's name as the header shows it: "UTC" or "Europe/Berlin". */
export function zoneName(zone: Zone): string {
  return zone === "UTC" ? "UTC" : localZone();
}

/** The browser is asked again after a minute, for asking costs far more than the rest of writing a time, and it may travel. */
const ZONE_FOR_MS = 60_000;
let local = { name: "UTC", until: -Infinity };

function localZone(): string {
  const now = performance.now();
  if (now >= local.until)
    local = { name: new Intl.DateTimeFormat().resolvedOptions().timeZone, until: now + ZONE_FOR_MS };
  return local.name;
}

/** Milliseconds the zone's wall clock is ahead of UTC at that moment. */
function zoneOffsetMs(time: EpochMs, zone: Zone): number {
  return zone === "UTC" ? 0 : -new Date(time).getTimezoneOffset() * 60_000;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

function zoneLabel(zone: Zone, time: EpochMs): string {
  if (zone === "UTC") return "UTC";
  const minutes = zoneOffsetMs(time, zone) / 60_000;
  const size = Math.abs(minutes);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function parts(time: EpochMs, zone: Zone) {
  const iso = new Date(time + zoneOffsetMs(time, zone)).toISOString();
  const [date = "", clock = ""] = iso.split("T");
  const [year = "", month = "", day = ""] = date.split("-");
  return { year, month, day, hour: clock.slice(0, 2), minute: clock.slice(3, 5), second: clock.slice(6, 8) };
}

function significant(value: number): string {
  // Digits that nobody measured aren't made up: 4 isn't 4.00.
  if (Number.isInteger(value)) return grouped.format(value);
  if (Math.abs(value) < 1e-6) return powers(value);
  const text = value.toPrecision(3);
  return text.includes("e") ? String(Number(text)) : text;
}

/** "1.7e300": past what a prefix names. */
function powers(value: number): string {
  return value
    .toExponential(2)
    .replace(/\.?0+e/, "e")
    .replace("e+", "e");
}

function prefixed(value: number): string {
  const size = Math.abs(value);
  if (size >= 999.5e12) return powers(value);
  for (const [factor, prefix] of PREFIXES) {
    // 999,950 would round to "1000 K": it belongs to the next prefix.
    if (size >= factor * 0.9995) {
      const scaled = value / factor;
      return Math.abs(scaled) >= 999.5 ? `${grouped.format(scaled)} ${prefix}` : `${scaled.toPrecision(3)} ${prefix}`;
    }
  }
  return significant(value);
}

/** A moment as the field for it holds it: the zone's wall clock, to the second. */
export function wallClock(time: EpochMs, zone: Zone): string {
  return new Date(time + zoneOffsetMs(time, zone)).toISOString().slice(0, 19);
}

/** The moment a field for it holds; NaN for none. */
export function momentOf(text: string, zone: Zone): EpochMs {
  return zone === "UTC" ? Date.parse(`${text}Z`) : new Date(text).getTime();
}
