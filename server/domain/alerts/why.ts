import { formatDuration } from "../duration";
import type { EpochMs } from "../terms";
import type { Bounds, JudgedCondition } from "./condition";
import { WHAT_WORDS } from "./sentence";

/** Kinds of reasons why a rule told of a device, or didn't. */
export const REASONS = [
  // The rule judged nothing of it.
  "made-later",
  "off",
  "not-selected",
  "not-in-force",
  "no-metric",
  "no-valid-range",
  // There was nothing to judge.
  "no-reading",
  "refused",
  "kind-differs",
  "never-known",
  // It wasn't so, or not for long enough.
  "never-beyond",
  "too-short",
  "gap",
  "pending",
  "late",
  // Of silence.
  "never-heard",
  "heard-in-time",
  "within-limit",
  "own-outage",
  "not-handled",
  // There was an alert.
  "already-firing",
  "fired",
  // What is kept says no more.
  "not-decided",
  "not-known",
] as const;
type ReasonKind = (typeof REASONS)[number];

/** One reason, for people and for programs. */
export interface Reason {
  readonly kind: ReasonKind;
  /** One sentence, with the number. */
  readonly sentence: string;
  /** The moment that decided it; null: none did. */
  readonly at: EpochMs | null;
  readonly numbers: Readonly<Record<string, number>>;
  readonly times: Readonly<Record<string, EpochMs>>;
  readonly words: Readonly<Record<string, string>>;
}

/** Writes moments for whoever reads a sentence. */
export interface Say {
  readonly time: (time: EpochMs) => string;
}

type Told = Partial<Pick<Reason, "at" | "numbers" | "times" | "words">>;

/** Makes a reason. */
export function reason(kind: ReasonKind, sentence: string, told: Told = {}): Reason {
  return { at: null, numbers: {}, times: {}, words: {}, ...told, kind, sentence };
}

/** How sentences write moments: of the day that is asked about by the hour, of others with the day. @param zone an IANA name */
export function sayIn(zone: string, day: EpochMs): Say {
  const clock = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone: zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit" },
    ...{ day: "numeric", month: "short", year: "numeric" },
  });
  const parts = (time: EpochMs) =>
    Object.fromEntries(clock.formatToParts(time).map(({ type, value }) => [type, value]));
  const asked = parts(day);
  return {
    time(time) {
      const { year, month, day: date, hour, minute, second } = parts(time);
      const at = second === "00" ? `${hour}:${minute}` : `${hour}:${minute}:${second}`;
      if (year !== asked.year) return `${date} ${month} ${year} ${at}`;
      return month === asked.month && date === asked.day ? at : `${date} ${month} ${at}`;
    },
  };
}

/** A metric as sentences name it. */
export interface SaidMetric {
  readonly name: string;
  readonly unit: string | null;
  readonly kind: "number" | "boolean";
}

/** What a condition looks at: "temperature", "minute mean of temperature". */
export function subjectOf({ what }: Pick<JudgedCondition, "what">, metric: SaidMetric): string {
  return `${WHAT_WORDS[what]}${metric.name}`;
}

/** A value of a condition with its unit. What was computed has four digits, what was sent has its own. */
export function valueOf({ what }: Pick<JudgedCondition, "what">, { kind, unit }: SaidMetric, value: number): string {
  if (kind === "boolean" && what === "value") return value === 0 ? "false" : "true";
  const isComputed = what === "changePerMinute" || what === "minuteMean";
  const digits = String(Number(value.toPrecision(isComputed ? 4 : 12)));
  const of = what === "changePerMinute" ? `${unit ?? ""}/min` : unit;
  return of ? `${digits} ${of}` : digits;
}

/** What a value has to be: "above 80 °C", "outside of 10 °C to 80 °C", "true", "5". */
export function limitWords(condition: JudgedCondition, bounds: Bounds, metric: SaidMetric): string {
  const [low, high] = bounds;
  const said = (value: number) => valueOf(condition, metric, value);
  if (condition.equals) return said(low);
  if (low === -Infinity) return `above ${said(high)}`;
  return high === Infinity ? `below ${said(low)}` : `outside of ${said(low)} to ${said(high)}`;
}

/** A condition and where it didn't hold. */
export interface Near {
  readonly condition: JudgedCondition;
  readonly bounds: Bounds;
  readonly metric: SaidMetric;
  readonly value: number;
  readonly at: EpochMs;
  /** True if the other conditions of the rule were true then. */
  readonly amongOthers: boolean;
  /** Looks at it. */
  readonly looks: number;
}

/** It was never true; says how near it came. */
export function neverBeyond(say: Say, { condition, bounds, metric, value, at, amongOthers, looks }: Near): Reason {
  const [low, high] = bounds;
  const { equals } = condition;
  const side = equals || high - value <= value - low ? high : low;
  const by = Math.abs(side - value);
  const subject = subjectOf(condition, metric);
  const wanted = limitWords(condition, bounds, metric);
  const never = amongOthers ? `wasn’t ${wanted} while the rest was true` : `was never ${wanted}`;
  const told = {
    at,
    numbers: { value, limit: side, by: Number(by.toPrecision(12)), looks },
    times: { closest: at },
    words: { metric: metric.name, unit: metric.unit ?? "" },
  };
  if (metric.kind === "boolean" && condition.what === "value")
    return reason(
      "never-beyond",
      `${subject} ${never}: ${looks === 1 ? "its one reading says" : `all ${looks} readings say`} ${valueOf(condition, metric, value)}.`,
      told,
    );
  const gap = valueOf(condition, metric, by);
  const where = equals
    ? `${gap} away`
    : by === 0
      ? "which is the limit itself"
      : `${gap} ${side === high ? "below" : "above"}`;
  return reason(
    "never-beyond",
    `${subject} ${never}: closest ${valueOf(condition, metric, value)} at ${say.time(at)}, ${where}.`,
    told,
  );
}

/** The time that a rule was true without firing. */
export interface Short {
  /** "temperature was above 80 °C", "all of it was true". */
  readonly wasTrue: string;
  readonly since: EpochMs;
  readonly until: EpochMs;
  readonly forMs: number;
}

const lasted = ({ wasTrue, since, until, forMs }: Short) =>
  `${wasTrue} for ${formatDuration(until - since)} of the ${formatDuration(forMs)} that it takes`;

const shortNumbers = ({ since, until, forMs }: Short) => ({ lastedMs: until - since, neededMs: forMs });

/** It was true, but not for long enough. @param then the value that ended it */
export function tooShort(say: Say, short: Short, then: { readonly words: string; readonly value: number }): Reason {
  return reason("too-short", `${lasted(short)}, then ${then.words} at ${say.time(short.until)}.`, {
    at: short.until,
    numbers: { ...shortNumbers(short), value: then.value },
    times: { since: short.since, until: short.until },
  });
}

/** It was true, and then nothing came for longer than a reading holds. @param until when the next reading came; null: none has */
export function gapAfter(short: Short, holdMs: number, until: EpochMs | null): Reason {
  const gapMs = until === null ? null : until - short.until;
  const nothing = gapMs === null ? "and nothing came since" : `then nothing came for ${formatDuration(gapMs)}`;
  return reason("gap", `${lasted(short)}, ${nothing}; a reading holds for ${formatDuration(holdMs)}.`, {
    at: short.until + holdMs,
    numbers: { ...shortNumbers(short), holdMs, ...(gapMs !== null && { gapMs }) },
    times: { since: short.since, until: short.until, ...(until !== null && { next: until }) },
  });
}

/** It is true, and hasn't been for long enough yet. */
export function stillPending(say: Say, { wasTrue, since, until, forMs }: Short): Reason {
  return reason(
    "pending",
    `${wasTrue.replace(" was ", " is ")} since ${say.time(since)}: ${formatDuration(until - since)} of the ${formatDuration(forMs)} that it takes.`,
    {
      at: since + forMs,
      numbers: { lastedMs: until - since, neededMs: forMs },
      times: { since, due: since + forMs },
    },
  );
}

/** What would have counted came when its time had been judged. */
export function cameLate(
  say: Say,
  late: {
    readonly what: string;
    readonly value: number;
    readonly at: EpochMs;
    /** When it came, and when a later reading had. */
    readonly came: EpochMs;
    readonly judged: EpochMs;
    readonly waits: boolean;
  },
): Reason {
  const { what, value, at, came, judged, waits } = late;
  const sentence = `${what} of ${say.time(at)} came ${formatDuration(came - judged)} after that time was judged, at ${say.time(came)}`;
  return reason("late", `${sentence}${waits ? "; it is about to be judged again" : ""}.`, {
    at,
    numbers: { value, delayMs: came - judged },
    times: { event: at, came, judged },
  });
}
