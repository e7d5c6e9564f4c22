import { type Mapping } from "@/server/domain/mapping/mapping";
import { compilePattern, type LocalTime } from "@/server/domain/mapping/patterns";
import { compileFormat } from "@/server/domain/mapping/times";
import { isBefore1970 } from "@/server/domain/time";
import { isZone } from "@/server/domain/mapping/zones";
import { ReplayUsageError } from "./usage-error";

/** How a file writes its times, in the terms of a mapping. */
export interface FoundTimes {
  readonly format: Pick<Mapping["time"][number], "format" | "pattern" | "zone">;
  /** A description for the person who sends. */
  readonly how: string;
  /** A doubt about it, and the option that would settle it; null if there is none. */
  readonly doubt: string | null;
}

const EPOCH_UNITS = { s: "seconds", ms: "milliseconds", us: "microseconds", ns: "nanoseconds" } as const;
type EpochUnit = keyof typeof EPOCH_UNITS;

/** --zone as it was given. @throws ReplayUsageError */
export function parseZone(text: string): string {
  if (/^(utc|z)$/i.test(text)) return "UTC";
  if (isZone(text)) return text;
  throw new ReplayUsageError(
    `--zone: ${JSON.stringify(text)} is no zone; for example --zone UTC, --zone +02:00 or --zone Europe/Berlin`,
  );
}

/** --time-format as it was given. @throws ReplayUsageError */
export function parseTimeFormat(text: string | undefined): string | null {
  if (text === undefined || isEpochUnit(text) || compilePattern(text) !== null) return text ?? null;
  throw new ReplayUsageError(
    `--time-format: ${JSON.stringify(text)} is neither s, ms, us, ns nor a pattern with a date; for example --time-format "dd/MM/yyyy HH:mm:ss" (hh … a for a 12-hour clock)`,
  );
}

function isEpochUnit(text: string): text is EpochUnit {
  return Object.hasOwn(EPOCH_UNITS, text);
}

/**
 * Finds out how a file writes its times.
 * @param samples times of its first rows.
 * @throws ReplayUsageError if two ways of reading fit and differ: that must not be guessed.
 */
export function findTimes(samples: readonly string[], stated: string | null, zone: string): FoundTimes {
  if (stated !== null && isEpochUnit(stated))
    return { format: { format: stated }, how: `epoch ${EPOCH_UNITS[stated]}, as stated`, doubt: null };
  if (stated !== null) return byPattern(stated, zone, "as stated");
  const numbers = samples.filter((text) => EPOCH.test(text));
  if (numbers.length > 0) refuseDates(numbers);
  const any = compileFormat("any", zone, undefined);
  // What is before 1970 is refused however it is written.
  const possible = samples.filter((text) => !isBefore1970(text));
  const others = possible.filter((text) => "problem" in any(text, undefined, { arrived: 0, device: "" }));
  const fitting = others.length === 0 ? [] : patternsFor(possible);
  if (fitting.length > 0) {
    refuseAmbiguous(fitting, possible);
    return byPattern(fitting[0]!.pattern, zone, "found in the first rows");
  }
  return {
    format: { format: "any", zone },
    how: [
      ...(numbers.length > 0 ? ["epochs, by their size in seconds to nanoseconds"] : []),
      ...(numbers.length < samples.length ? [`RFC 3339, in ${zone} where there is no zone`] : []),
    ].join("; "),
    doubt:
      others[0] === undefined
        ? null
        : `${JSON.stringify(others[0])} is not a time this can read; say how it is written: --time-format "dd/MM/yyyy HH:mm:ss"`,
  };
}

const EPOCH = /^\d+(?:\.\d*)?(?:e[+-]?\d{1,3})?$/i;

function byPattern(pattern: string, zone: string, why: string): FoundTimes {
  const hasZone = compilePattern(pattern)!.hasZone;
  return {
    format: { format: "pattern", pattern, ...(hasZone ? {} : { zone }) },
    how: `${pattern}${hasZone ? "" : `, in ${zone}`}, ${why}`,
    doubt: null,
  };
}

const DATES = [
  ...["yyyy-M-d", "yyyy/M/d", "yyyy.M.d", "yyyyMMdd", "d.M.yyyy", "d/M/yyyy", "M/d/yyyy", "d-M-yyyy", "M-d-yyyy"],
  ...["d.M.yy", "d/M/yy", "M/d/yy", "d MMM yyyy", "d-MMM-yyyy", "d-MMM-yy", "d/MMM/yyyy", "MMM d, yyyy", "MMM d yyyy"],
  ...["EEE, d MMM yyyy", "EEE MMM d yyyy", "d. MMM yyyy"],
];
const CLOCKS = [
  ...["H:mm:ss.S", "H:mm:ss,S", "H:mm:ss", "H:mm", "H.mm.ss", "H.mm", "HHmmss", "HHmm"],
  ...["h:mm:ss.S a", "h:mm:ss a", "h:mm:ssa", "h:mm a", "h:mma", "h.mm.ss a", "h a"],
];
const PATTERNS = DATES.flatMap((date) => [
  date,
  ...CLOCKS.flatMap((clock) =>
    [" ", "'T'", ", "].flatMap((joint) => ["", "Z", " Z"].map((zone) => date + joint + clock + zone)),
  ),
  ...CLOCKS.map((clock) => `${clock} ${date}`),
]);

interface Fitting {
  readonly pattern: string;
  readonly read: (text: string) => LocalTime | null;
}

/** Every known pattern that reads all of `samples`. */
function patternsFor(samples: readonly string[]): Fitting[] {
  return PATTERNS.flatMap((pattern) => {
    const { read } = compilePattern(pattern)!;
    return samples.every((text) => read(text) !== null) ? [{ pattern, read }] : [];
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
  const sample = samples.find((text) => other.read(text)!.local !== first.read(text)!.local) ?? samples[0]!;
  const [a, b] = [first, other].map(({ read }) => new Date(read(sample)!.local).toISOString().slice(0, 10));
  throw new ReplayUsageError(
    `The times can be read in two ways: ${JSON.stringify(sample)} may be ${a} or ${b}. Say which: --time-format "${first.pattern}" or --time-format "${other.pattern}"`,
  );
}

/** Days since 30 December 1899, as spreadsheets count them: those of 2000 to 2050. As seconds they are of some hours in 1970. */
const SERIALS = { from: 36_526, to: 55_153 };
const SERIAL_OF_1970 = 25_569;

/** Digits that are as well a date as a count: 20261127 is 27 November, or August 1970. */
function refuseDates(numbers: readonly string[]): void {
  const days = numbers.map(Number);
  if (days.every((day) => day >= SERIALS.from && day < SERIALS.to))
    throw new ReplayUsageError(
      `The times can be read in two ways: ${numbers[0]} may be ${new Date((days[0]! - SERIAL_OF_1970) * 86_400_000).toISOString().slice(0, 10)} as spreadsheets count days, or a number of seconds since 1970. Write the file with dates in place of the spreadsheet's numbers, or say --time-format s`,
    );
  for (const pattern of ["yyyyMMdd", "yyyyMMddHHmm", "yyyyMMddHHmmss"]) {
    const { read } = compilePattern(pattern)!;
    const dates = numbers.map((text) => (text.length === pattern.length ? read(text)?.local : undefined));
    if (!dates.every((date) => date !== undefined && date >= 0 && date < Date.UTC(2100))) continue;
    throw new ReplayUsageError(
      `The times can be read in two ways: ${numbers[0]} may be ${new Date(dates[0]!).toISOString().slice(0, 10)} or a number of ${pattern.length === 8 ? "seconds" : "milliseconds"} since 1970. Say which: --time-format ${pattern} or --time-format ${pattern.length === 8 ? "s" : "ms"}`,
    );
  }
}
