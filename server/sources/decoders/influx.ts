import type { JsonReading } from "@/server/domain/json";
import type { Part } from "@/server/domain/mapping/delivery";
import { checkCount, type Decoder, textOf, UnreadableError } from "./decoder";
import { readField, readName } from "./influx-values";
import { seriesOf } from "./series";
import { buildTree } from "./tree";

/** Nanoseconds of each precision the two versions of InfluxDB's write address know, by what the address calls it. */
const PRECISIONS: Readonly<Record<string, bigint>> = {
  ...{ n: 1n, ns: 1n, u: 1_000n, µ: 1_000n, us: 1_000n },
  ...{ ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n },
};

const [NEWLINE, RETURN, SPACE, COMMA, HASH] = [0x0a, 0x0d, 0x20, 0x2c, 0x23];

/**
 * InfluxDB's line protocol: each line becomes `{device, series, measurement, tags, fields, time}`, `time` as nanoseconds in text and missing where the line has none. The precision is
 * the address's (`?precision=ms`). A line that can't be read is refused by its number.
 */
export const decodeInflux: Decoder = (delivery, mapping) => {
  const unit = factorOf(delivery.beside.query.precision ?? "");
  const text = textOf(delivery);
  const parts: Part[] = [];
  let number = 1;
  for (let at = 0; at < text.length;) {
    const path = `line ${number}`;
    const line = readLine(text, at, unit, mapping?.allTags);
    if (line.value !== null) parts.push({ value: line.value, path, beside: {} });
    else if (line.error !== null) parts.push({ path, error: line.error });
    checkCount(parts.length);
    for (let i = at; i < line.end; i++) if (text.charCodeAt(i) === NEWLINE) number++;
    at = line.end;
  }
  if (parts.length === 0) throw new UnreadableError("it has no line");
  return parts;
};

function factorOf(precision: string): bigint {
  if (precision === "") return 1n;
  if (Object.hasOwn(PRECISIONS, precision)) return PRECISIONS[precision]!;
  throw new UnreadableError(`precision ${JSON.stringify(precision.slice(0, 20))} is none of ns, us, ms, s, m, h`);
}

/** A line, why it can't be read, or neither (blank, a comment), and where the next begins. */
interface Line {
  readonly value: JsonReading | null;
  readonly error: string | null;
  readonly end: number;
}

function readLine(text: string, start: number, unit: bigint, allTags?: boolean): Line {
  let at = start;
  while (text.charCodeAt(at) === SPACE) at++;
  if (isEnd(text, at) || text.charCodeAt(at) === HASH) return { value: null, error: null, end: nextLine(text, at) };
  const tree = buildTree();
  try {
    const measurement = readName(text, at, ", ");
    if (measurement.value === "") throw new UnreadableError("it has no measurement");
    at = measurement.end;
    const tags = tree.branch();
    while (text.charCodeAt(at) === COMMA) {
      const key = readName(text, at + 1, ",= ");
      if (text[key.end] !== "=") throw new UnreadableError(`tag ${JSON.stringify(key.value)} has no value`);
      const value = readName(text, key.end + 1, ",= ");
      if (key.value === "" || value.value === "")
        throw new UnreadableError(`tag ${JSON.stringify(key.value)} is empty`);
      if (Object.hasOwn(tags, key.value))
        throw new UnreadableError(`tag ${JSON.stringify(key.value)} is there more than once`);
      tree.set(tags, key.value, value.value);
      at = value.end;
    }
    if (text.charCodeAt(at) !== SPACE) throw new UnreadableError("it has no fields");
    while (text.charCodeAt(at) === SPACE) at++;
    const fields = tree.branch();
    for (;;) {
      at = readField(text, at, tree, fields);
      if (text.charCodeAt(at) !== COMMA) break;
      at++;
    }
    while (text.charCodeAt(at) === SPACE) at++;
    const time = readTime(text, at, unit);
    const { device, series } = seriesOf(measurement.value, tags, {}, allTags);
    const value = {
      device,
      series,
      measurement: measurement.value,
      tags,
      fields,
      ...(time.value !== null && { time: time.value }),
    };
    return { value: tree.done(value), error: null, end: nextLine(text, time.end) };
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    return { value: null, error: error.message, end: nextLine(text, start) };
  }
}

function readTime(text: string, start: number, unit: bigint): { readonly value: string | null; readonly end: number } {
  let end = start;
  while (!isEnd(text, end)) end++;
  const digits = text.slice(start, end).trimEnd();
  if (digits === "") return { value: null, end };
  if (!/^-?\d{1,19}$/.test(digits)) throw new UnreadableError(`${JSON.stringify(digits.slice(0, 40))} is not a time`);
  return { value: unit === 1n ? digits : String(BigInt(digits) * unit), end };
}

function isEnd(text: string, at: number): boolean {
  const char = text.charCodeAt(at);
  return Number.isNaN(char) || char === NEWLINE || (char === RETURN && text.charCodeAt(at + 1) === NEWLINE);
}

function nextLine(text: string, at: number): number {
  const newline = text.indexOf("\n", at);
  return newline === -1 ? text.length : newline + 1;
}
