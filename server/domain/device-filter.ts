import { isName } from "./terms";

/*
 * What a list of devices is narrowed to, as people type it:
 *
 *   filter     = condition { ("and" | ",") condition }
 *   condition  = word operator value
 *   word       = a metric · silent · quality · alerts · conflicts · messages · site · type · label:<key> · retired
 *   operator   = "<" | "<=" | ">" | ">=" | "=" | "!="      (≤, ≥ and ≠ are the same)
 *   value      = a number · a length of time ("1 h") · a text, in double quotes if it has spaces · yes | no
 *
 * A metric that is called like another word is written value:<name>.
 */

/** Longest filter, in UTF-16 units, and most conditions of one. */
export const FILTER_LIMITS = { length: 512, conditions: 8 } as const;

export type Operator = "<=" | ">=" | "!=" | "<" | ">" | "=";

/** Columns of a device that are compared as numbers; quality is 0 to 100, of the latest day that is scored. */
const COUNTS = ["quality", "alerts", "conflicts", "messages"] as const;
const TEXTS = ["site", "type"] as const;

/** One condition of a filter; all of them must hold. A device without the value that is compared matches none, but of `!=`. */
export type Condition =
  | { readonly of: "metric"; readonly metric: string; readonly operator: Operator; readonly value: number }
  | { readonly of: "silent"; readonly operator: Operator; readonly ms: number }
  | { readonly of: (typeof COUNTS)[number]; readonly operator: Operator; readonly value: number }
  | { readonly of: (typeof TEXTS)[number]; readonly operator: "=" | "!="; readonly text: string }
  | { readonly of: "label"; readonly key: string; readonly operator: "=" | "!="; readonly text: string }
  | { readonly of: "retired"; readonly is: boolean };

/** Why a filter can't be read: what is wrong at which character, from 0, and how to put it right. */
export interface FilterProblem {
  readonly at: number;
  readonly message: string;
}

/** Reads a filter; nothing but white space is none. */
export function parseFilter(
  text: string,
): { readonly conditions: readonly Condition[] } | { readonly problem: FilterProblem } {
  try {
    return { conditions: conditionsIn(text) };
  } catch (error) {
    if (error instanceof Unreadable) return { problem: { at: error.at, message: error.message } };
    throw error;
  }
}

/** Writes conditions so that {@link parseFilter} reads the same ones. */
export function filterText(conditions: readonly Condition[]): string {
  return conditions.map(conditionText).join(" and ");
}

/** Writes one condition. */
export function conditionText(condition: Condition): string {
  switch (condition.of) {
    case "metric": {
      const isOther = WORDS.includes(condition.metric.toLowerCase()) || /^(value|label):|^and$/i.test(condition.metric);
      return `${isOther ? "value:" : ""}${condition.metric} ${condition.operator} ${condition.value}`;
    }
    case "silent":
      return `silent ${condition.operator} ${lengthText(condition.ms)}`;
    case "retired":
      return `retired = ${condition.is ? "yes" : "no"}`;
    case "site":
    case "type":
      return `${condition.of} ${condition.operator} ${quoted(condition.text)}`;
    case "label":
      return `label:${quoted(condition.key)} ${condition.operator} ${quoted(condition.text)}`;
    default:
      return `${condition.of} ${condition.operator} ${condition.value}`;
  }
}

/** True if `a operator b`. */
export function compares(a: number, operator: Operator, b: number): boolean {
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    case "=":
      return a === b;
    case "!=":
      return a !== b;
  }
}

class Unreadable extends Error {
  constructor(
    readonly at: number,
    message: string,
  ) {
    super(message);
  }
}

const WORDS: readonly string[] = ["silent", "retired", ...COUNTS, ...TEXTS];
const UNITS: ReadonlyMap<string, number> = new Map([
  ...["s", "sec", "second", "seconds"].map((unit) => [unit, 1000] as const),
  ...["m", "min", "minute", "minutes"].map((unit) => [unit, 60_000] as const),
  ...["h", "hour", "hours"].map((unit) => [unit, 3_600_000] as const),
  ...["d", "day", "days"].map((unit) => [unit, 86_400_000] as const),
]);

interface Token {
  readonly kind: "operator" | "text" | "word" | "comma";
  readonly text: string;
  readonly at: number;
}

const TOKEN = /\s*(?:(<=|>=|!=|≤|≥|≠|<|>|=)|"((?:[^"\\]|\\.)*)"|(label:"(?:[^"\\]|\\.)*")|(,)|([^\s<>=!≤≥≠,"]+))/uy;
const SAME: Readonly<Record<string, string>> = { "≤": "<=", "≥": ">=", "≠": "!=" };

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < end;) {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) {
      const at = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
      throw new Unreadable(at, text[at] === '"' ? 'the text is not closed: end it with "' : "cannot be read here");
    }
    const [all, operator, quotedText, label, comma, word] = found;
    const at = from + all.length - all.trimStart().length;
    if (operator !== undefined) tokens.push({ kind: "operator", text: SAME[operator] ?? operator, at });
    else if (quotedText !== undefined) tokens.push({ kind: "text", text: unquoted(quotedText), at });
    else if (label !== undefined)
      tokens.push({ kind: "word", text: `label:${unquoted(label.slice('label:"'.length, -1))}`, at });
    else if (comma !== undefined) tokens.push({ kind: "comma", text: comma, at });
    else tokens.push({ kind: "word", text: word!, at });
  }
  return tokens;
}

function conditionsIn(text: string): Condition[] {
  if (text.length > FILTER_LIMITS.length)
    throw new Unreadable(
      FILTER_LIMITS.length,
      `is longer than ${FILTER_LIMITS.length} characters: use fewer conditions`,
    );
  const tokens = tokensOf(text);
  const conditions: Condition[] = [];
  let next = 0;
  while (next < tokens.length) {
    if (conditions.length > 0) {
      const joint = tokens[next]!;
      if (joint.kind !== "comma" && !(joint.kind === "word" && joint.text.toLowerCase() === "and"))
        throw new Unreadable(
          joint.at,
          `${shown(joint)} is one word too many: put "and" between two conditions, and a text with spaces in quotes`,
        );
      next++;
    }
    const [word, operator] = [tokens[next], tokens[next + 1]];
    if (word?.kind !== "word")
      throw new Unreadable(word?.at ?? text.length, "a metric or a word is expected here, as in battery < 20");
    if (operator?.kind !== "operator")
      throw new Unreadable(
        operator?.at ?? text.length,
        `${shown(word)} needs a comparison: <, <=, >, >=, = or !=, as in battery < 20`,
      );
    // A length of time may be two words, and so may a number that has its unit behind it.
    const values: Token[] = [];
    for (next += 2; next < tokens.length && values.length < 2; next++) {
      const token = tokens[next]!;
      const ends = token.kind === "comma" || (token.kind === "word" && token.text.toLowerCase() === "and");
      if (ends || token.kind === "operator" || (values.length === 1 && values[0]!.kind === "text")) break;
      values.push(token);
    }
    if (values.length === 0) throw new Unreadable(operator.at + operator.text.length, "a value is expected here");
    conditions.push(read(word, operator, values));
    if (conditions.length > FILTER_LIMITS.conditions)
      throw new Unreadable(word.at, `there are more than ${FILTER_LIMITS.conditions} conditions: leave some out`);
  }
  return conditions;
}

function read(word: Token, { text: sign, at }: Token, values: readonly Token[]): Condition {
  const name = word.text;
  const lower = name.toLowerCase();
  const operator = sign as Operator;
  if (lower === "silent") return { of: "silent", operator, ms: lengthOf(values) };
  if (lower === "retired") {
    const value = one(values);
    const is = YES_OR_NO.get(value.text.toLowerCase());
    if (is === undefined) throw new Unreadable(value.at, `${shown(value)} is neither yes nor no`);
    if (operator !== "=" && operator !== "!=") throw equalOnly(word, at);
    return { of: "retired", is: operator === "=" ? is : !is };
  }
  const text = TEXTS.find((known) => known === lower);
  if (text !== undefined || lower.startsWith("label:")) {
    if (operator !== "=" && operator !== "!=") throw equalOnly(word, at);
    const value = one(values).text.normalize("NFC");
    if (text !== undefined) return { of: text, operator, text: value };
    const key = name.slice("label:".length);
    if (key === "") throw new Unreadable(word.at, "label: needs a key, as in label:floor = 2");
    return { of: "label", key, operator, text: value };
  }
  const count = COUNTS.find((known) => known === lower);
  if (count !== undefined) return { of: count, operator, value: numberIn(one(values)) };
  const metric = lower.startsWith("value:") ? name.slice("value:".length) : name;
  if (!isName(metric))
    throw new Unreadable(word.at, `${shown(word)} is no metric, nor one of ${WORDS.join(", ")} and label:<key>`);
  if (values.length > 1)
    throw new Unreadable(
      values[1]!.at,
      `leave ${shown(values[1]!)} out: values are compared in the unit that the metric has`,
    );
  return { of: "metric", metric, operator, value: numberIn(values[0]!, true) };
}

const YES_OR_NO: ReadonlyMap<string, boolean> = new Map([
  ["yes", true],
  ["true", true],
  ["no", false],
  ["false", false],
]);

function equalOnly({ text }: Token, at: number): Unreadable {
  return new Unreadable(at, `${text} is no number: compare it by = or !=`);
}

function one(values: readonly Token[]): Token {
  const [first, second] = values;
  if (second !== undefined)
    throw new Unreadable(second.at, `${shown(second)} is one word too many: put a text with spaces in double quotes`);
  return first!;
}

function numberIn(token: Token, orFlag = false): number {
  const flag = orFlag && token.kind === "word" ? YES_OR_NO.get(token.text.toLowerCase()) : undefined;
  if (flag !== undefined) return Number(flag);
  const value =
    token.kind === "word" && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(token.text) ? Number(token.text) : NaN;
  if (!Number.isFinite(value)) throw new Unreadable(token.at, `${shown(token)} is no number`);
  return value;
}

function lengthOf(values: readonly Token[]): number {
  const found = /^(\d+(?:\.\d+)?)\s?([a-z]+)$/i.exec(values.map(({ text }) => text).join(" "));
  const unit = UNITS.get(found?.[2]?.toLowerCase() ?? "");
  const ms = Number(found?.[1]) * (unit ?? NaN);
  if (!(ms <= LONGEST_MS))
    throw new Unreadable(
      values[0]!.at,
      "a length of time up to 3650 d is expected here, as in 90 s, 15 min, 1 h or 2 d",
    );
  return ms;
}

const LONGEST_MS = 3650 * 86_400_000;

function lengthText(ms: number): string {
  const [unit, width] = (
    [
      ["d", 86_400_000],
      ["h", 3_600_000],
      ["min", 60_000],
    ] as const
  ).find(([, width]) => ms >= width && ms % width === 0) ?? ["s", 1000];
  return `${ms / width} ${unit}`;
}

function shown({ text }: Token): string {
  return JSON.stringify(text);
}

function quoted(text: string): string {
  return /^[^\s<>=!≤≥≠,"\\]+$/u.test(text) && text.toLowerCase() !== "and"
    ? text
    : `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

function unquoted(text: string): string {
  return text.replace(/\\(.)/gu, "$1");
}
