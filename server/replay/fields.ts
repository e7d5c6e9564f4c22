import { type DecimalMark, decimalEvidence, looksLikeAnId, readNumber } from "./numbers";
import { splitValue } from "./units";
import { ReplayUsageError } from "./usage-error";

/** The target of a column's fields. `each`: nothing is known of it, and each field says for itself. */
type FieldKind = "number" | "boolean" | "text" | "each";

/** The way the fields of one metric are read. */
export interface FieldReading {
  readonly kind: FieldKind;
  /** The unit every number carries behind it, as in "21.3 °C"; null when they carry none. */
  readonly carriedUnit: string | null;
  /** The reason, where it is not plain. */
  readonly why: string | null;
}

export interface FieldRules {
  readonly mark: DecimalMark;
  /** The decimal mark was stated, so that 1,234 has one meaning. */
  readonly stated: boolean;
  /** Words that mean no value, in lower case. */
  readonly missing: ReadonlySet<string>;
  /** Words for true and false, in lower case. */
  readonly booleans: ReadonlyMap<string, boolean>;
}

/** Words that mean "no value" unless a column is named as text. */
export const MISSING_WORDS = [
  ...["NA", "N/A", "#N/A", "NaN", "null", "nil", "none", "undefined", "unavailable", "unknown"],
  ...["?", "-", "--", "\\N"],
];

export const TRUE_AND_FALSE: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

/**
 * Finds out which decimal mark a file uses.
 * @returns null for the mark that was assumed when nothing told.
 * @throws ReplayUsageError if its numbers tell two things, or can be read in two ways.
 */
export function findDecimalMark(fields: readonly string[], stated: DecimalMark | null): DecimalMark {
  if (stated !== null) return stated;
  const { comma, point, open } = decimalEvidence(fields.map((field) => splitValue(field)?.number ?? field));
  if (comma !== null && point !== null)
    throw new ReplayUsageError(
      `The file has numbers with a decimal comma (${comma}) and with a decimal point (${point}). Say which it is: --decimal comma or --decimal point`,
    );
  if (comma === null && point === null && open !== null)
    throw new ReplayUsageError(
      `${open} may be ${open.replace(",", ".")} or ${open.replace(",", "")}. Say which: --decimal comma or --decimal point`,
    );
  return comma === null ? "point" : "comma";
}

/** True if a field is no value; numbers that stand for none (-999) are recognised however they are written. */
export function isMissing(field: string, { missing, mark }: FieldRules): boolean {
  if (field === "" || missing.has(field.toLowerCase())) return true;
  const number = readNumber(field, mark);
  return number !== undefined && missing.has(String(number));
}

/** Decides how a metric's fields are read, judged by those of the first rows. */
export function judgeField(fields: readonly string[], rules: FieldRules): FieldReading {
  const values = fields.filter((field) => !isMissing(field, rules));
  const plain = (kind: FieldKind, why: string | null = null): FieldReading => ({ kind, carriedUnit: null, why });
  if (values.length === 0) return plain("each", "no value in the first rows");
  if (values.every((field) => rules.booleans.has(field.toLowerCase()))) return plain("boolean");
  const id = values.find(looksLikeAnId);
  if (id !== undefined) return plain("text", `${id} would lose digits as a number`);
  const numbers = values.filter((field) => readNumber(field, rules.mark, rules.stated) !== undefined);
  const units = new Map<string, number>();
  for (const field of values) {
    const split = splitValue(field);
    if (split && readNumber(split.number, rules.mark, rules.stated) !== undefined)
      units.set(split.unit, (units.get(split.unit) ?? 0) + 1);
  }
  const [unit, times] = [...units].sort(([, a], [, b]) => b - a)[0] ?? ["", 0];
  if (times > numbers.length && times * 2 >= values.length)
    return {
      kind: "number",
      carriedUnit: unit,
      why: units.size + numbers.length > 1 ? `numbers without ${unit} are refused` : null,
    };
  return numbers.length * 2 >= values.length ? plain("number") : plain("text");
}

/** A field's value. What doesn't fit its kind stays text, for the pipeline to refuse by name. */
export function readField(
  field: string,
  { kind, carriedUnit }: FieldReading,
  rules: FieldRules,
): number | boolean | string {
  if (kind === "text") return field;
  const boolean = rules.booleans.get(field.toLowerCase());
  if (boolean !== undefined && kind !== "number") return boolean;
  if (kind === "boolean" || looksLikeAnId(field)) return field;
  if (carriedUnit === null) return readNumber(field, rules.mark, rules.stated) ?? field;
  const split = splitValue(field);
  if (split?.unit !== carriedUnit) return field;
  return readNumber(split.number, rules.mark, rules.stated) ?? field;
}
