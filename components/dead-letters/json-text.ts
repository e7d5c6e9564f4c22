/** A value in a JSON text and where it lies, `end` excluded; in UTF-16 units, as strings count. */
export interface JsonValue {
  readonly kind: "object" | "array" | "string" | "number" | "boolean" | "null";
  readonly start: number;
  readonly end: number;
  /** Of an object, in the order of the text. */
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: JsonValue;
}

/** A text read as JSON: its value, or where it stops being JSON and why. */
export type JsonReading =
  { readonly ok: true; readonly value: JsonValue } | { readonly ok: false; readonly at: number; readonly why: string };

/** Deeper is not read: the server takes 16, and a hostile depth must not exhaust the stack. */
const DEEPEST = 256;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WORDS = [
  ["true", "boolean"],
  ["false", "boolean"],
  ["null", "null"],
] as const;

class Fault extends Error {
  constructor(
    readonly at: number,
    readonly why: string,
  ) {
    super(why);
  }
}

/** Reads a JSON text for its places: JSON.parse tells none of values, and of faults only some, differently in each browser. */
export function readJsonText(text: string): JsonReading {
  try {
    const value = readValue(text, skip(text, 0), 0);
    const rest = skip(text, value.end);
    if (rest < text.length) throw new Fault(rest, "nothing may follow the value");
    return { ok: true, value };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, at: error.at, why: error.why };
    throw error;
  }
}

/** Line and column of a place in a text, both from 1. */
export function lineAndColumn(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

function skip(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

function readValue(text: string, at: number, depth: number): JsonValue {
  const char = text[at];
  if (char === undefined) throw new Fault(at, at === 0 ? "there is nothing" : "it ends too early; a value is missing");
  if (char === "{" || char === "[") {
    if (depth === DEEPEST) throw new Fault(at, `it is nested more than ${DEEPEST} deep`);
    return char === "{" ? readObject(text, at, depth) : readArray(text, at, depth);
  }
  if (char === '"') return leaf("string", at, readString(text, at));
  for (const [word, kind] of WORDS) if (text.startsWith(word, at)) return leaf(kind, at, at + word.length);
  NUMBER.lastIndex = at;
  if (NUMBER.test(text)) return leaf("number", at, NUMBER.lastIndex);
  throw new Fault(at, "a value is expected: a number, true, false, null, text in double quotes, {…} or […]");
}

function readObject(text: string, start: number, depth: number): JsonValue {
  const members: JsonMember[] = [];
  let at = skip(text, start + 1);
  if (text[at] === "}") return { kind: "object", start, end: at + 1, members };
  for (;;) {
    if (text[at] !== '"') throw new Fault(at, ended(text, at, "a name in double quotes is expected"));
    const keyStart = at;
    const keyEnd = readString(text, at);
    at = skip(text, keyEnd);
    if (text[at] !== ":") throw new Fault(at, ended(text, at, "a colon is expected"));
    const value = readValue(text, skip(text, at + 1), depth + 1);
    members.push({ key: JSON.parse(text.slice(keyStart, keyEnd)) as string, keyStart, keyEnd, value });
    at = skip(text, value.end);
    if (text[at] === "}") return { kind: "object", start, end: at + 1, members };
    if (text[at] !== ",") throw new Fault(at, ended(text, at, "a comma or } is expected"));
    at = skip(text, at + 1);
  }
}

function readArray(text: string, start: number, depth: number): JsonValue {
  let at = skip(text, start + 1);
  if (text[at] === "]") return leaf("array", start, at + 1);
  for (;;) {
    at = skip(text, readValue(text, at, depth + 1).end);
    if (text[at] === "]") return leaf("array", start, at + 1);
    if (text[at] !== ",") throw new Fault(at, ended(text, at, "a comma or ] is expected"));
    at = skip(text, at + 1);
  }
}

/** Where the string that begins at `start` ends, after its closing quote. */
function readString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const char = text[at];
    if (char === undefined) throw new Fault(at, "it ends too early; a closing double quote is missing");
    if (char === '"') return at + 1;
    if (char < " ") throw new Fault(at, "a line break or control character must be escaped in text");
    if (char !== "\\") continue;
    const escape = /^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(at + 1, at + 6));
    if (!escape) throw new Fault(at, ended(text, at + 1, "there is no such escape"));
    at += escape[0].length;
  }
}

function ended(text: string, at: number, why: string): string {
  return at >= text.length ? `it ends too early; ${why}` : why;
}

function leaf(kind: JsonValue["kind"], start: number, end: number): JsonValue {
  return { kind, start, end, members: [] };
}
