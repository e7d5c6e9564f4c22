import type { DecodeBounds } from "@/server/domain/decode-message";
import { createKnownTexts } from "@/server/domain/known-texts";
import type { DecodedMessage } from "@/server/domain/message";
import { readBeside } from "@/server/domain/said-beside";
import { isName, MESSAGE_LIMITS } from "@/server/domain/terms";
import { readDecimal } from "./decimal";
import { createKnownShapes, startsWith } from "./known-shapes";

const HEAD = Buffer.from('{"device":"');
const TIME = Buffer.from('","time":"');
const READINGS = Buffer.from('","readings":{');
const TRUE = Buffer.from("true");
const FALSE = Buffer.from("false");

const [QUOTE, COMMA, CLOSE, POINT, MINUS, ZERO, NINE] = [...Buffer.from('",}.-09')] as [
  ...[number, number, number, number, number, number, number],
];
/** `YYYY-MM-DDTHH:MM:SS.mmmZ`, as JavaScript and many others write it. */
const TIME_LENGTH = 24;
const TIME_MARKS: readonly (readonly [at: number, byte: number])[] = [..."....-..-..T..:..:......Z"].flatMap(
  (mark, at) => (mark === "." ? [] : [[at, mark.charCodeAt(0)] as const]),
);
/** Decimals of this many digits and as many of them after the point are exact quotients of two doubles, and lose nothing as one. */
const MOST_DIGITS = 15;
/** More digits than any double is written with. */
const LONGEST = 30;
const POWERS = Array.from({ length: MOST_DIGITS + 1 }, (_, i) => 10 ** i);

const NOTHING: readonly never[] = Object.freeze([]);

/** What a message may say after its readings to be plain, and the ends of messages that are remembered. */
const BESIDE: ReadonlySet<string> = new Set(["units", "site", "type", "labels"]);
const MOST_TAILS = 1000;
const MOST_NAMES = 50_000;
const LONGEST_TAIL = 4096;

type Tail = ReturnType<typeof readBeside>;
const NO_TAIL: Tail = null;

/**
 * Makes a reader of messages in the one shape that nearly all have: device, time and readings in this order without a space, plain names, a
 * time in UTC with milliseconds, booleans and short decimals; perhaps units, site, type and labels after them. It reads bytes where they stand, and remembers the
 * shapes of messages and what they said after their readings. Null is no verdict: decoding then finds out what it is, and says the same of all that this reads.
 */
export function createPlainReader(): (bytes: Uint8Array, bounds: DecodeBounds) => DecodedMessage | null {
  const texts = createKnownTexts();
  const names = new Set<string>();
  const shapes = createKnownShapes();
  // An array of doubles from the beginning, of which a part is taken at its exact size.
  const numbers = new Array<number>(MESSAGE_LIMITS.readings).fill(0.5);
  let lastDay = Buffer.alloc(0);
  let lastDayMs = 0;
  const tails = new Map<string, Tail | undefined>();

  /** Reads what comes after the readings, from the comma on; undefined if that isn't plain. */
  function tailAt(bytes: Buffer, at: number): Tail | undefined {
    if (bytes.length - at > LONGEST_TAIL) return undefined;
    const key = textOf(bytes, at, bytes.length);
    const known = tails.get(key);
    if (known !== undefined) return known;
    const tail = readTail(bytes.subarray(at + 1));
    if (tail !== undefined) {
      if (tails.size >= MOST_TAILS) tails.clear();
      tails.set(key, tail);
    }
    return tail;
  }

  function timeAt(bytes: Uint8Array, at: number): number | null {
    if (at + TIME_LENGTH > bytes.length) return null;
    for (const [offset, byte] of TIME_MARKS) if (bytes[at + offset] !== byte) return null;
    if (bytes[at + 19] !== POINT) return null;
    if (lastDay.length === 0 || !startsWith(bytes, lastDay, at)) {
      const [year, month, date] = [digits(bytes, at, 4), digits(bytes, at + 5, 2), digits(bytes, at + 8, 2)];
      if (!(year >= 1970 && month >= 1 && month <= 12 && date >= 1)) return null;
      const day = Date.UTC(year, month - 1, date);
      // The 31st of a month of 30 days would be the 1st of the next.
      if (new Date(day).getUTCDate() !== date) return null;
      lastDayMs = day;
      lastDay = Buffer.from(bytes.subarray(at, at + 10));
    }
    const hour = digits(bytes, at + 11, 2);
    const minute = digits(bytes, at + 14, 2);
    const second = digits(bytes, at + 17, 2);
    const millis = digits(bytes, at + 20, 3);
    if (!(hour <= 23 && minute <= 59 && second <= 59 && millis <= 999)) return null;
    return lastDayMs + ((hour * 60 + minute) * 60 + second) * 1000 + millis;
  }

  return (value, bounds) => {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (bytes.length > MESSAGE_LIMITS.bytes || !startsWith(bytes, HEAD, 0)) return null;
    let at = HEAD.length;
    while (at < bytes.length && bytes[at] !== QUOTE) at++;
    if (!startsWith(bytes, TIME, at)) return null;
    const device = texts(bytes, HEAD.length, at);
    if (!names.has(device)) {
      if (!isName(device)) return null;
      if (names.size >= MOST_NAMES) names.clear();
      names.add(device);
    }
    at += TIME.length;
    const eventTime = timeAt(bytes, at);
    if (eventTime === null || eventTime > bounds.now + bounds.futureToleranceMs) return null;
    if (bounds.retentionMs !== null && eventTime < bounds.now - bounds.retentionMs) return null;
    at += TIME_LENGTH;
    if (!startsWith(bytes, READINGS, at)) return null;
    at += READINGS.length;

    let place = shapes.begin();
    for (let index = 0; ; index++) {
      if (bytes[at] !== QUOTE || index >= MESSAGE_LIMITS.readings) return null;
      const step = shapes.stepAt(place, bytes, at);
      if (step === null) return null;
      at += step.mark.length;
      const first = bytes[at]!;
      if (first === TRUE[0] && startsWith(bytes, TRUE, at)) {
        numbers[index] = 1;
        place = shapes.after(place, step, "boolean");
        at += TRUE.length;
      } else if (first === FALSE[0] && startsWith(bytes, FALSE, at)) {
        numbers[index] = 0;
        place = shapes.after(place, step, "boolean");
        at += FALSE.length;
      } else {
        const isNegative = first === MINUS;
        if (isNegative) at++;
        const begin = at;
        let number = 0;
        let point = -1;
        for (; ; at++) {
          const byte = bytes[at]!;
          if (byte >= ZERO && byte <= NINE) number = number * 10 + byte - ZERO;
          else if (byte === POINT && point < 0) point = at;
          else break;
        }
        const whole = (point < 0 ? at : point) - begin;
        const fraction = point < 0 ? 0 : at - point - 1;
        const isPlain = whole > 0 && whole + fraction <= LONGEST && (point < 0 || fraction > 0);
        if (!isPlain || (whole > 1 && bytes[begin] === ZERO)) return null;
        if (whole + fraction > MOST_DIGITS) {
          let value = readDecimal(bytes, begin, at, fraction);
          if (Number.isNaN(value)) {
            // Nothing of it is lost if it is the double as JavaScript writes it.
            const token = textOf(bytes, begin, at);
            value = Number(token);
            if (String(value) !== token) return null;
          }
          numbers[index] = isNegative ? -value : value;
        } else {
          const value = number / POWERS[fraction]!;
          numbers[index] = isNegative ? -value : value;
        }
        place = shapes.after(place, step, "number");
      }
      const after = bytes[at++];
      if (after === COMMA) continue;
      if (after !== CLOSE) return null;
      const isEnd = bytes[at] === CLOSE && at + 1 === bytes.length;
      const tail = isEnd ? NO_TAIL : bytes[at] === COMMA ? tailAt(bytes, at) : undefined;
      if (tail === undefined) return null;
      const { shape } = place;
      const values = numbers.slice(0, index + 1);
      const message = {
        device,
        eventTime,
        shape,
        values,
        rounded: NOTHING,
        texts: NOTHING,
        refused: NOTHING,
        refusedLabels: NOTHING,
      };
      return tail === null ? message : Object.assign(message, tail);
    }
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Reads the end of a message, from the first name on; undefined if it isn't plain. */
function readTail(bytes: Uint8Array): Tail | undefined {
  let json: object;
  try {
    json = JSON.parse(`{${utf8.decode(bytes)}`) as object;
  } catch {
    return undefined;
  }
  const refused: Parameters<typeof readBeside>[1] = [];
  if (!Object.keys(json).every((name) => BESIDE.has(name))) return undefined;
  const tail = readBeside(json, refused);
  return refused.length === 0 ? tail : undefined;
}

/** Bytes as text, one character each; for what is then compared with names, which are ASCII. */
function textOf(bytes: Buffer, from: number, to: number): string {
  return bytes.toString("latin1", from, to);
}

/** Reads decimal digits; NaN where there is anything else. */
function digits(bytes: Uint8Array, at: number, length: number): number {
  let number = 0;
  for (let i = at; i < at + length; i++) {
    const byte = bytes[i]!;
    if (byte < ZERO || byte > NINE) return NaN;
    number = number * 10 + byte - ZERO;
  }
  return number;
}
