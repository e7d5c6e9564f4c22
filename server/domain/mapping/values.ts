import type { ReadingValue } from "../message";
import { convert, isUnit } from "../units/units";
import { type Field, type NamedUnit, nameUnit } from "./fields";
import type { Mapping } from "./mapping";
import { numberBefore, numberInText, writeNumber } from "./numbers";

/** Longest text, as JSON: of those that are longer at least one message couldn't hold two. */
const LONGEST_TEXT = 14_000;

/** What a leaf is to a metric: a value with its JSON; none by a rule; or refused, in words for a person. */
export type LeafValue =
  | {
      readonly value: ReadingValue | string;
      readonly json: string;
      /** The unit that stands behind the value itself. */
      readonly unit?: NamedUnit;
    }
  | { readonly ignored: "null" | "empty" | "absent" }
  | { readonly problem: string };

const NULL: LeafValue = { ignored: "null" };
const EMPTY: LeafValue = { ignored: "empty" };
const ABSENT: LeafValue = { ignored: "absent" };
const TRUE: LeafValue = { value: true, json: "true" };
const FALSE: LeafValue = { value: false, json: "false" };

/** Reads one leaf. `token` is a number's digits where no double holds them, or the word that stands for one. */
export function readLeaf(
  leaf: unknown,
  token: string | undefined,
  { absent, isText, booleans, enums }: Field,
  unit: NamedUnit | null,
  { values, convertUnits }: Pick<Mapping, "values" | "convertUnits">,
): LeafValue {
  if (leaf === null) return NULL;
  if (typeof leaf === "number") {
    if (absent !== null && (absent.numbers.has(leaf) || absent.texts.has((token ?? String(leaf)).toLowerCase())))
      return ABSENT;
    return numberOf(leaf, token, unit);
  }
  if (typeof leaf === "boolean") {
    if (absent !== null && absent.booleans.has(leaf)) return ABSENT;
    return leaf ? TRUE : FALSE;
  }
  if (typeof leaf !== "string") return { problem: "holds other values" };
  if (absent !== null && absent.texts.has(leaf.toLowerCase())) return ABSENT;
  if (isText) return textOf(leaf);
  if (enums !== null) {
    const value = enums.get(leaf);
    if (value !== undefined) return numberOf(value, undefined, unit);
  }
  const truth = booleans?.get(leaf.toLowerCase());
  if (truth !== undefined) return truth ? TRUE : FALSE;
  if (values.numericStrings) {
    const number = numberInText(leaf, values);
    if (number !== null) {
      if (absent !== null && absent.numbers.has(number.value)) return ABSENT;
      return numberOf(number.value, number.token, unit);
    }
    const carrying = values.unitsBehind ? numberBefore(leaf, values) : null;
    const own = carrying !== null && isUnit(carrying.behind) ? nameUnit(carrying.behind, convertUnits) : null;
    if (own !== null) {
      if (absent !== null && absent.numbers.has(carrying!.value)) return ABSENT;
      const read = numberOf(carrying!.value, carrying!.token, own);
      return "value" in read ? { ...read, unit: own } : read;
    }
  }
  if (enums !== null) return { problem: `is ${brief(leaf)}, which is none of the values it may have` };
  return textOf(leaf);
}

function textOf(leaf: string): LeafValue {
  if (leaf.trim() === "") return EMPTY;
  const json = JSON.stringify(leaf);
  return json.length <= LONGEST_TEXT ? { value: leaf, json } : { problem: `is a text of ${leaf.length} characters` };
}

function numberOf(number: number, token: string | undefined, unit: NamedUnit | null): LeafValue {
  if (!Number.isFinite(number)) return { problem: `is ${brief(token ?? String(number))}, which is no finite number` };
  if (unit === null || unit.from === null || unit.from === unit.to)
    return { value: number, json: writeNumber(number, token) };
  const value = convert(number, unit.from, unit.to!)!;
  if (value === number) return { value: number, json: writeNumber(number, token) };
  return Number.isFinite(value)
    ? { value, json: writeNumber(value, undefined) }
    : { problem: `is ${number} ${unit.from.symbol}, which is no finite number of ${unit.symbol}` };
}

/** A text for a person, shortened. */
function brief(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
