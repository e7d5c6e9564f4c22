import { repeatedMembers, surveyJson } from "./json-survey";

/** Tokens of a JSON text that no double holds as written, by their object or array and their key. */
export type NumberTokens = ReadonlyMap<object, ReadonlyMap<string, string>>;

export interface JsonReading {
  /** The value as JSON.parse has it, with NaN and the infinities where the text has them as bare words. */
  readonly json: unknown;
  readonly tokens: NumberTokens;
  /** Members that come again in their object, where only the last is in `json`: the names that lead to each. Left out if there are none. */
  readonly repeated?: readonly (readonly string[])[];
}

const NO_TOKENS: NumberTokens = new Map();

/** Where the members are that come again. */
export interface RepeatedPlaces {
  /** Their keys, by their object. */
  readonly keys: ReadonlyMap<object, ReadonlySet<string>>;
  /** The name that comes again, if it is this member's or that of one above it; else null. */
  nameAt(parent: object, key: string): string | null;
}

/** Finds where the members are that come again; null if there are none. */
export function repeatedPlaces({ json, repeated = [] }: JsonReading): RepeatedPlaces | null {
  if (repeated.length === 0) return null;
  const keys = new Map<object, Set<string>>();
  const below = new Map<object, string>();
  // Outer ones first: within one that comes again its own name is what is wrong.
  for (const names of repeated.toSorted((a, b) => a.length - b.length)) {
    const parent = memberAt(json, names.slice(0, -1));
    if (!isBranch(parent)) continue;
    const name = names.at(-1)!;
    const own = keys.get(parent);
    if (own) own.add(name);
    else keys.set(parent, new Set([name]));
    markBelow((parent as Record<string, unknown>)[name], below.get(parent) ?? name, below);
  }
  return {
    keys,
    nameAt: (parent, key) => below.get(parent) ?? (keys.get(parent)?.has(key) === true ? key : null),
  };
}

function memberAt(json: unknown, names: readonly string[]): unknown {
  let value = json;
  for (const name of names)
    value = isBranch(value) && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  return value;
}

function markBelow(value: unknown, name: string, below: Map<object, string>): void {
  if (!isBranch(value) || below.has(value)) return;
  below.set(value, name);
  for (const child of Object.values(value)) markBelow(child, name, below);
}

function isBranch(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A mark that nobody can send: a string in its place would be taken for a number. */
const MARK = `number ${crypto.randomUUID()} `;
/** The same for a name that is written once more. */
const AGAIN = `again ${crypto.randomUUID()} `;

/** The deepest nesting that is read: beyond it the reviver could exhaust the stack; a message this deep is refused whole. */
const DEEPEST = 1000;

/** The most digits toPrecision writes. */
const MOST_DIGITS = 100;

/**
 * Matches strings (to pass over them, an unfinished one to its end), numbers, and words for what is none; the last two of these
 * are what C's printf writes, -nan(ind) and 1.#INF00 that of Windows.
 */
const TOKENS =
  /"[^"\\]*(?:\\[^][^"\\]*)*"?|(?<![\w.+-])(?:[-+]?(?:inf(?:inity)?|nan(?:\(\w*\))?|1\.#(?:inf|ind|[qs]nan)\d*)|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?=[ \t\r\n]*(?:[,}\]]|$))/gi;

/**
 * Reads JSON, and what other languages' JSON writers put where a number is not finite: NaN, Infinity, inf and the like, in any case
 * and with a sign. @throws SyntaxError, JSON.parse's own, for anything else; {@link TooDeepError} for what is nested deeper than `mostDepth`.
 */
export function readJson(text: string, mostDepth = Infinity): JsonReading {
  const { depth, isHeld, members } = surveyJson(text, mostDepth);
  if (depth > mostDepth) throw new TooDeepError(`nested more than ${mostDepth} deep`);
  let json: unknown;
  try {
    json = JSON.parse(text);
    if (depth > DEEPEST) return { json, tokens: NO_TOKENS };
    const repeated = members > membersOf(json) ? { repeated: repeatedMembers(text) } : null;
    if (isHeld) return repeated === null ? { json, tokens: NO_TOKENS } : { json, tokens: NO_TOKENS, ...repeated };
    return { ...(readMarked(text) ?? { json, tokens: NO_TOKENS }), ...repeated };
  } catch (error) {
    if (depth > DEEPEST || !/nan|inf|#ind/i.test(text)) throw error;
    const marked = readMarked(text) ?? fail(error);
    return members > membersOf(marked.json) ? { ...marked, repeated: repeatedMembers(text) } : marked;
  }
}

/** Counts the members of all objects in a value. */
function membersOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) for (const element of value) members += membersOf(element);
  else
    for (const name of Object.keys(value)) members += 1 + membersOf((value as Readonly<Record<string, unknown>>)[name]);
  return members;
}

/** A text is nested too deep to be read. */
export class TooDeepError extends Error {
  override readonly name = "TooDeepError";
}

/** Null when there is nothing to mark, or it isn't JSON all the same. */
function readMarked(text: string): JsonReading | null {
  let marks = 0;
  const marked = text.replace(TOKENS, (token) => {
    const first = token[0]!;
    if (first === '"' || isHeld(token)) return token;
    marks++;
    return JSON.stringify(MARK + token);
  });
  if (marks === 0) return null;
  const tokens = new Map<object, Map<string, string>>();
  try {
    const json: unknown = JSON.parse(marked, function (this: object, key, value: unknown) {
      if (typeof value !== "string" || !value.startsWith(MARK)) return value;
      const token = value.slice(MARK.length);
      const there = tokens.get(this);
      if (there) there.set(key, token);
      else tokens.set(this, new Map([[key, token]]));
      return numberOf(token);
    });
    return { json, tokens };
  } catch {
    return null;
  }
}

function fail(error: unknown): never {
  throw error;
}

/** Replaces each word that stands for no number by a number of the same length, so that others find the places of values. */
export function maskWords(text: string): string {
  return text.replace(TOKENS, (token) =>
    !token.startsWith('"') && /[ni]/i.test(token) ? "1".repeat(token.length) : token,
  );
}

/**
 * Writes JSON, with the tokens as they were read.
 * @param again members that came more than once: they are written twice, as what they were last, for whoever reads it to refuse.
 */
export function writeJson(value: unknown, tokens: NumberTokens, again: RepeatedPlaces | null = null): string {
  if (tokens.size === 0 && again === null) return JSON.stringify(value);
  const doubled = new Map<object, object>();
  const text = JSON.stringify(value, function (this: object, key, member: unknown) {
    if (typeof member === "number") {
      const token = tokens.get(doubled.get(this) ?? this)?.get(withoutMark(key));
      return token === undefined ? member : MARK + token;
    }
    const names = isBranch(member) ? again?.keys.get(member) : undefined;
    if (names === undefined) return member;
    const all = member as Record<string, unknown>;
    const twice = { ...all, ...Object.fromEntries([...names].map((name) => [AGAIN + name, all[name]])) };
    doubled.set(twice, all);
    return twice;
  });
  return text
    .replaceAll(`"${AGAIN}`, '"')
    .replaceAll(new RegExp(`"${MARK}([^"]*)"`, "g"), (_all, token: string) => token);
}

function withoutMark(key: string): string {
  return key.startsWith(AGAIN) ? key.slice(AGAIN.length) : key;
}

/** Reads the number a token stands for: the nearest double, NaN or an infinity. */
function numberOf(token: string): number {
  if (/nan|ind/i.test(token)) return NaN;
  if (/inf/i.test(token)) return token.startsWith("-") ? -Infinity : Infinity;
  return Number(token);
}

/**
 * Returns true if nothing of the token was lost: it is the double as JavaScript writes it, or as it is written with as many digits as the
 * token has. The two differ where a digit lies halfway between two.
 */
export function isHeld(token: string): boolean {
  const number = numberOf(token);
  if (!Number.isFinite(number)) return false;
  if (String(number) === token) return true;
  const { digits, power } = decimalOf(token);
  if (digits === "") return true;
  if (digits.length > MOST_DIGITS) return false;
  return [String(number), number.toPrecision(digits.length)].some((text) => {
    const held = decimalOf(text);
    return held.digits === digits && held.power === power;
  });
}

/** Splits a decimal into its digits without zeros at either end (none for zero) and the power of ten of the first. */
function decimalOf(text: string): { digits: string; power: number } {
  const [, whole = "", fraction = "", exponent = "0"] = /^-?(\d+)(?:\.(\d+))?(?:e([-+]?\d+))?$/i.exec(text) ?? [];
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  const power = digits === "" ? 0 : Number(exponent) + whole.length - (all.length - digits.length);
  return { digits: digits.replace(/0+$/, ""), power };
}
