import { createScanner, type Node, parseTree, printParseErrorCode, type ParseError } from "jsonc-parser";
import { maskWords } from "@/server/domain/json";

/** A value in a JSON text and where it lies, `end` excluded; in UTF-16 units, as strings count. */
export interface JsonValue {
  readonly kind: "object" | "array" | "string" | "number" | "boolean" | "null";
  readonly start: number;
  readonly end: number;
  /** Members of an object, in the order of the text. */
  readonly members: readonly JsonMember[];
  /** Elements of an array. */
  readonly elements: readonly JsonValue[];
}

export interface JsonMember {
  readonly key: string;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly value: JsonValue;
}

/** A text read as JSON: its value, or where it stops being JSON and why. */
export type JsonReading =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly at: number; readonly why: string };

/** The deepest nesting that is read: the server takes 16, and a hostile depth must not exhaust the stack. */
const DEEPEST = 256;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY, END] = [1, 2, 3, 4, 17];
/** Matches the valid part of a string, from its opening quote on. */
const GOOD_STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
const STRICT = { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false };

const WHY: Partial<Record<ReturnType<typeof printParseErrorCode>, string>> = {
  ValueExpected: "a value is expected: a number, true, false, null, text in double quotes, {…} or […]",
  InvalidSymbol: "a value is expected: a number, true, false, null, text in double quotes, {…} or […]",
  InvalidNumberFormat: "there is no such number",
  UnexpectedEndOfNumber: "there is no such number",
  PropertyNameExpected: "a name in double quotes is expected",
  ColonExpected: "a colon is expected",
  CommaExpected: "a comma is expected",
  CloseBraceExpected: "a comma or } is expected",
  CloseBracketExpected: "a comma or ] is expected",
  EndOfFileExpected: "nothing may follow the value",
  InvalidCommentToken: "there are no comments in JSON",
  UnexpectedEndOfString: "a closing double quote is missing; a line break in text is written \\n",
  InvalidCharacter: "a line break or control character must be escaped in text",
  InvalidEscapeCharacter: "there is no such escape",
  InvalidUnicode: "there is no such escape",
};

/**
 * Reads a JSON text with the places of its values: JSON.parse gives none of these, and places of faults only sometimes,
 * differently in each browser. NaN and Infinity are numbers here, as they are for the server.
 */
export function readJsonText(text: string): JsonReading {
  const masked = maskWords(text);
  const tooDeep = placeTooDeep(masked);
  if (tooDeep !== null) return { ok: false, at: tooDeep, why: `it is nested more than ${DEEPEST} deep` };
  const errors: ParseError[] = [];
  const root = parseTree(masked, errors, STRICT);
  const first = errors.toSorted((a, b) => a.offset - b.offset)[0];
  if (root && !first) return { ok: true, value: valueOf(root) };
  const at = first ? placeOf(text, first.offset) : text.length;
  const why = (first && WHY[printParseErrorCode(first.error)]) ?? "a value is expected";
  if (text.trim() === "") return { ok: false, at: 0, why: "there is nothing" };
  return { ok: false, at, why: at >= text.trimEnd().length ? `it ends too early; ${why}` : why };
}

/** Finds the fault within a string that begins at `start`; if it isn't one, returns `start` itself. */
function placeOf(text: string, start: number): number {
  if (text[start] !== '"') return start;
  GOOD_STRING.lastIndex = start;
  return start + (GOOD_STRING.exec(text)?.[0].length ?? 0);
}

/** Tells the line and column of a place in a text, both from 1. */
export function lineAndColumn(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

function placeTooDeep(text: string): number | null {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token: number = scanner.scan(); token !== END; token = scanner.scan()) {
    if ((token === OPEN_OBJECT || token === OPEN_ARRAY) && ++depth > DEEPEST) return scanner.getTokenOffset();
    if (token === CLOSE_OBJECT || token === CLOSE_ARRAY) depth--;
  }
  return null;
}

function valueOf({ type, offset, length, children = [] }: Node): JsonValue {
  const members =
    type === "object"
      ? children.map(({ children: [key, value] = [] }) => ({
          key: String(key!.value),
          keyStart: key!.offset,
          keyEnd: key!.offset + key!.length,
          value: valueOf(value!),
        }))
      : [];
  const elements = type === "array" ? children.map(valueOf) : [];
  return { kind: type as JsonValue["kind"], start: offset, end: offset + length, members, elements };
}
