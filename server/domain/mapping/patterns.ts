/** A local time, as if it were UTC; with the zone that was written, in milliseconds ahead of UTC, if any. */
export interface LocalTime {
  readonly local: number;
  readonly ahead: number | null;
}

const MONTHS = [
  ...["january", "february", "march", "april", "may", "june", "july"],
  ...["august", "september", "october", "november", "december"],
];

type Field = "year" | "month" | "day" | "hour" | "minute" | "second" | "millis" | "half" | "ahead";
type Fields = Partial<Record<Field, number>>;

/** Reads its part of a text from `at` on; returns where it ends, or -1. */
type Step = (text: string, at: number, fields: Fields) => number;

const TOKENS: Readonly<Record<string, Step>> = {
  yyyy: digitsOf("year", 4, 4),
  yy: digitsOf("year", 2, 2, (year) => 2000 + year),
  MMMM: monthName,
  MMM: monthName,
  EEE: word,
  MM: digitsOf("month", 2, 2),
  M: digitsOf("month", 1, 2),
  dd: digitsOf("day", 2, 2),
  d: digitsOf("day", 1, 2),
  HH: digitsOf("hour", 2, 2),
  H: digitsOf("hour", 1, 2),
  hh: digitsOf("hour", 2, 2),
  h: digitsOf("hour", 1, 2),
  mm: digitsOf("minute", 2, 2),
  m: digitsOf("minute", 1, 2),
  ss: digitsOf("second", 2, 2),
  s: digitsOf("second", 1, 2),
  S: fraction,
  a: half,
  Z: zone,
};

const PIECE = /yyyy|yy|MMMM|MMM|MM?|E+|dd?|HH?|hh?|mm?|ss?|[Su]+|a|Z+|'[^']*'|[^]/g;

/** Tokens of which any number means the same, by their letter; u is what some call S. */
const ONE_OF_MANY: Readonly<Record<string, string | undefined>> = { S: "S", u: "S", Z: "Z", E: "EEE" };

/** What a pattern reads; null if it can't tell a day. */
export interface Pattern {
  read(text: string): LocalTime | null;
  readonly hasZone: boolean;
}

/**
 * Reads a pattern of yyyy yy M MM MMM (Jan) MMMM (January) EEE (a day of the week) d dd H HH h hh a (AM, p.m.) m mm s ss S (a fraction of any length) Z (a
 * zone as +01:00, +0100, UTC or Z), and text between them, in quotes if it holds such letters. Null unless it tells year, month and day.
 */
export function compilePattern(pattern: string): Pattern | null {
  const pieces: readonly string[] = pattern.match(PIECE) ?? [];
  const steps = pieces.map((piece) => {
    const token = ONE_OF_MANY[piece[0]!] ?? piece;
    if (Object.hasOwn(TOKENS, token)) return TOKENS[token]!;
    return literal(piece.startsWith("'") && piece.length > 1 ? piece.slice(1, -1) || "'" : piece);
  });
  const tells = (letter: string) => pieces.some((piece) => piece.startsWith(letter));
  if (!tells("y") || !tells("M") || !tells("d")) return null;
  return {
    hasZone: pieces.some((piece) => piece.startsWith("Z")),
    read(text) {
      const fields: Fields = {};
      let at = 0;
      for (const step of steps) if ((at = step(text, at, fields)) < 0) return null;
      return at === text.length ? momentOf(fields) : null;
    },
  };
}

function momentOf({ year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, millis = 0, half, ahead }: Fields) {
  if (half !== undefined && (hour < 1 || hour > 12)) return null;
  const hours = half === undefined ? hour : (hour % 12) + half;
  if (year < 1969 || month < 1 || month > 12 || hours > 23 || minute > 59 || second > 60) return null;
  const date = Date.UTC(year, month - 1, day);
  // Date.UTC rolls 31 February over into March.
  if (day < 1 || new Date(date).getUTCDate() !== day) return null;
  const local = date + ((hours * 60 + minute) * 60 + Math.min(second, 59)) * 1000 + (second === 60 ? 999 : millis);
  return { local, ahead: ahead ?? null };
}

function digitsOf(
  field: Field,
  least: number,
  most: number,
  of: (number: number) => number = (number) => number,
): Step {
  return (text, at, fields) => {
    let end = at;
    while (end - at < most && isDigit(text, end)) end++;
    if (end - at < least) return -1;
    fields[field] = of(Number(text.slice(at, end)));
    return end;
  };
}

function fraction(text: string, at: number, fields: Fields): number {
  let end = at;
  while (isDigit(text, end)) end++;
  if (end === at) return -1;
  fields.millis = Number(text.slice(at, Math.min(end, at + 3)).padEnd(3, "0"));
  return end;
}

/** By its first three letters, whether the others follow or not. */
function monthName(text: string, at: number, fields: Fields): number {
  const [name = ""] = /^[a-z]*/i.exec(text.slice(at, at + 12)) ?? [];
  const month = MONTHS.findIndex((full) => full.startsWith(name.toLowerCase())) + 1;
  fields.month = month;
  return month > 0 && name.length >= 3 ? at + name.length : -1;
}

function word(text: string, at: number): number {
  const [found = ""] = /^[a-z]+/i.exec(text.slice(at, at + 12)) ?? [];
  return found === "" ? -1 : at + found.length;
}

function half(text: string, at: number, fields: Fields): number {
  const [written, letter] = /^([ap])\.?m\.?/i.exec(text.slice(at, at + 4)) ?? [];
  if (written === undefined) return -1;
  fields.half = letter!.toUpperCase() === "P" ? 12 : 0;
  return at + written.length;
}

function zone(text: string, at: number, fields: Fields): number {
  const [written, sign, hours, minutes] = /^(?:Z|UTC|GMT|([+-])(\d{2}):?(\d{2})?)/i.exec(text.slice(at, at + 6)) ?? [];
  if (written === undefined || Number(hours ?? 0) > 23 || Number(minutes ?? 0) > 59) return -1;
  fields.ahead = (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
  return at + written.length;
}

/** A space stands for any kind of one. */
function literal(piece: string): Step {
  if (piece === " ") return (text, at) => (/[\s]/.test(text[at] ?? "") ? at + 1 : -1);
  return (text, at) => (text.startsWith(piece, at) ? at + piece.length : -1);
}

function isDigit(text: string, at: number): boolean {
  const char = text.charCodeAt(at);
  return char >= 0x30 && char <= 0x39;
}
