/** A first look at a JSON text, which tells how it has to be read. */
export interface JsonSurvey {
  /** The deepest nesting of its objects and arrays. */
  readonly depth: number;
  /** True if doubles certainly hold all of its numbers as they are written; false if they need a closer look. */
  readonly isHeld: boolean;
  /** How many members its objects have, those that come again among them. */
  readonly members: number;
}

/** The most characters of a number that any double holds as it is written: 15 digits (IEEE 754's DBL_DIG). */
const ALWAYS_HELD = 15;

/** The most digits of an exponent that can't lead out of what doubles hold. */
const HARMLESS_EXPONENT = 2;

const [QUOTE, BACKSLASH, DOT, ZERO, NINE] = [0x22, 0x5c, 0x2e, 0x30, 0x39];
const [PLUS, MINUS, UPPER_E, LOWER_E] = [0x2b, 0x2d, 0x45, 0x65];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT, COLON, COMMA] = [0x5b, 0x5d, 0x7b, 0x7d, 0x3a, 0x2c];

/**
 * Looks a text over in one pass, as every message of the log is read: regular expressions took half of the time that reading took. What isn't
 * JSON may be judged either way. Stops at the first nesting deeper than `mostDepth`, as parsing endless nesting costs far more than its length suggests.
 */
export function surveyJson(text: string, mostDepth: number): JsonSurvey {
  let depth = 0;
  let deepest = 0;
  let isHeld = true;
  let members = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) i = endOfString(text, i);
    else if (isDigit(char)) {
      let end = i + 1;
      let exponent = 0;
      for (; end < text.length; end++) {
        const part = text.charCodeAt(end);
        if (isDigit(part) || part === DOT) continue;
        const isSign = part === MINUS || part === PLUS;
        if (part === LOWER_E || part === UPPER_E || (isSign && exponent === end)) exponent = end + 1;
        else break;
      }
      if (exponent > 0) isHeld &&= isHarmless(end - i, end - exponent) || isShortest(text.slice(i, end));
      else isHeld &&= end - i <= ALWAYS_HELD || isNearDouble(text, i, end);
      i = end - 1;
    } else if (char === COLON) members++;
    else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      deepest = Math.max(deepest, ++depth);
      if (depth > mostDepth) break;
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) depth--;
  }
  return { depth: deepest, isHeld, members };
}

/** Finds the members of a JSON text that come again in their object: the names that lead to each, and the numbers of places in arrays. */
export function repeatedMembers(text: string): string[][] {
  const found: string[][] = [];
  const open: { readonly names: Set<string> | null; name: string }[] = [];
  let isName = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    const top = open.at(-1);
    if (char === QUOTE) {
      const end = endOfString(text, i);
      if (isName && top?.names) {
        top.name = JSON.parse(text.slice(i, end + 1)) as string;
        if (top.names.has(top.name)) found.push(open.map(({ name }) => name));
        top.names.add(top.name);
      }
      isName = false;
      i = end;
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      isName = char === OPEN_OBJECT;
      open.push(isName ? { names: new Set(), name: "" } : { names: null, name: "0" });
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) open.pop();
    else if (char === COMMA && top !== undefined) {
      isName = top.names !== null;
      if (!isName) top.name = String(Number(top.name) + 1);
    }
  }
  return found;
}

function isDigit(char: number): boolean {
  return char >= ZERO && char <= NINE;
}

/** Finds the quote that ends a string; the end of the text where there is none. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  for (; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) break;
    if (char === BACKSLASH) i++;
  }
  return i;
}

/** True for a number with an exponent that is short, with few digits in the exponent. */
function isHarmless(length: number, exponentDigits: number): boolean {
  return length <= ALWAYS_HELD && exponentDigits <= HARMLESS_EXPONENT;
}

/** True for a number as JavaScript and most languages write a double. */
function isShortest(token: string): boolean {
  return String(Number(token)) === token;
}

/** Powers of ten that a double holds. */
const POWERS = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/** The number of last digits that are kept apart, so that what stands before them, times their power of ten, is exact: 10^10 · 5^8 < 2^53. */
const LAST_DIGITS = 8;
const MOST_FIRST = 1e10;

/** A little less than half a unit of the last digit: the arithmetic below is exact to a millionth of that. */
const HALF_UNIT = 0.499;

/**
 * True if a double lies so near to a decimal that it is this decimal when written with as many digits. Decimals without exponent only; false
 * for those with too many digits to tell. Works on whole units of the last digit, N, with 10^f units to one: the nearest double x is N / 10^f, corrected by
 * the exact rest N - x · 10^f.
 */
function isNearDouble(text: string, start: number, end: number): boolean {
  let dot = end;
  let first = 0;
  let last = 0;
  const split = end - LAST_DIGITS;
  for (let i = start; i < end; i++) {
    const char = text.charCodeAt(i);
    if (char === DOT) dot = i;
    else if (i < split) first = first * 10 + char - ZERO;
    else last = last * 10 + char - ZERO;
  }
  const fraction = Math.max(0, end - dot - 1);
  if (first >= MOST_FIRST || fraction >= POWERS.length) return false;
  first *= POWERS[dot >= split && dot < end ? LAST_DIGITS - 1 : LAST_DIGITS]!;
  const units = POWERS[fraction]!;
  const near = (first + last) / units;
  const rest = restOf(first, last, near, units);
  if (Math.abs(rest) < HALF_UNIT) return true;
  return Math.abs(restOf(first, last, near + rest / units, units)) < HALF_UNIT;
}

/** 2^27 + 1, which splits a double into two halves of 26 bits. */
const SPLITTER = 134_217_729;

/** Works out first + last - x · y, with x · y as an exact sum of two doubles. T. J. Dekker, A floating-point technique, Numer. Math. 18 (1971), Mul12. */
function restOf(first: number, last: number, x: number, y: number): number {
  const product = x * y;
  let scaled = SPLITTER * x;
  const xHigh = scaled - (scaled - x);
  const xLow = x - xHigh;
  scaled = SPLITTER * y;
  const yHigh = scaled - (scaled - y);
  const yLow = y - yHigh;
  const error = xHigh * yHigh - product + xHigh * yLow + xLow * yHigh + xLow * yLow;
  return first - product + (last - error);
}
