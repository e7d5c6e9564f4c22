import { type NumberStyle, numberBefore, numberInText } from "@/server/domain/mapping/numbers";
import { isUnit } from "@/server/domain/units/units";
import { ReplayUsageError } from "./usage-error";

/** The mark between whole and fraction in a file's numbers. */
export type DecimalMark = "point" | "comma";

/** Words that mean "no value" unless a column is named as text. */
export const MISSING_WORDS = [
  ...["NA", "N/A", "#N/A", "#NA", "<NA>", "n.a.", "NaN", "-nan", "NaT", "null", "(null)", "nil", "none"],
  ...["undefined", "unavailable", "unknown", "?", "-", "--", "---", "\\N"],
  // What spreadsheets write where a formula failed.
  ...["#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!"],
];

/** Rules by which the fields of the first rows are judged; a mapping reads all rows by the same. */
export interface FieldRules {
  readonly style: NumberStyle;
  /** Words that mean no value, in lower case, and numbers that do. */
  readonly missing: ReadonlySet<string>;
  readonly missingNumbers: ReadonlySet<number>;
  /** Words for true and false, in lower case. */
  readonly booleans: ReadonlyMap<string, boolean>;
}

/** What the fields of one metric are, by those of the first rows. */
export interface FieldKind {
  readonly kind: "number" | "boolean" | "text" | "unknown";
  /** True if units stand behind the numbers. */
  readonly hasUnits: boolean;
  /** What makes it text although it may look like a number; null if nothing does. */
  readonly id: string | null;
}

/** A field that can be nothing but a number with a decimal comma: 21,5 · 0,123 · 1.013,4. */
const PROVES_COMMA = /^[+-]?(?:0,\d+|\d*,(?:\d{1,2}|\d{4,})|\d{4,},\d+|\d{1,3}(?:\.\d{3})+,\d*)(?:e[+-]?\d+)?$/i;
/** The same for a decimal point. */
const PROVES_POINT = /^[+-]?(?:0\.\d+|\d*\.(?:\d{1,2}|\d{4,})|\d{4,}\.\d+|\d{1,3}(?:,\d{3})+\.\d*)(?:e[+-]?\d+)?$/i;
/** Thousands, or a fraction of three digits. */
const OPEN_COMMA = /^[+-]?[1-9]\d{0,2},\d{3}$/;
/** Thousands apart by commas, which a decimal point behind them proves. */
const GROUPED = /^[+-]?[1-9]\d{0,2}(?:,\d{3})+\.\d*$/;
/** Thousands apart by what is no decimal mark. */
const SPACED = /^[+-]?[1-9]\d{0,2}(?:[ \u00a0\u202f'’]\d{3})+(?=$|[.,\D])/;

/**
 * Finds out how a file writes numbers.
 * @throws ReplayUsageError if its numbers tell two things, or can be read in two ways.
 */
export function findNumberStyle(fields: readonly string[], stated: DecimalMark | null): NumberStyle {
  const numbers = fields.map((field) => field.replace(/(?<=\d)[ \u00a0\u202f]*[^\d\s.,+-].*$/u, ""));
  const first = (pattern: RegExp) => numbers.find((field) => pattern.test(field)) ?? null;
  if (stated !== null) return { decimalComma: stated === "comma", thousands: true };
  const [comma, point, open] = [first(PROVES_COMMA), first(PROVES_POINT), first(OPEN_COMMA)];
  if (comma !== null && point !== null)
    throw new ReplayUsageError(
      `The file has numbers with a decimal comma (${comma}) and with a decimal point (${point}). Say which it is: --decimal comma or --decimal point`,
    );
  if (comma === null && point === null && open !== null)
    throw new ReplayUsageError(
      `${open} may be ${open.replace(",", ".")} or ${open.replace(",", "")}. Say which: --decimal comma or --decimal point`,
    );
  return { decimalComma: comma !== null, thousands: comma !== null || (first(SPACED) ?? first(GROUPED)) !== null };
}

/** The first of the fields that stays text although it may be a number with a comma between thousands; undefined if there is none. */
export function openThousands(fields: readonly string[], { decimalComma, thousands }: NumberStyle): string | undefined {
  return decimalComma || thousands ? undefined : fields.find((field) => OPEN_COMMA.test(field));
}

/** True if a field is no value; numbers that stand for none (-999) are recognised however they are written. */
export function isMissing(field: string, { missing, missingNumbers, style }: FieldRules): boolean {
  if (field === "" || missing.has(field.toLowerCase())) return true;
  return missingNumbers.size > 0 && missingNumbers.has(numberInText(field, style)?.value ?? NaN);
}

/**
 * True if a field reads as a number but would lose something as one: leading zeros, digits past 2^53, or an exponent
 * after several digits as in the serial 241408E4, which no program writes for a number.
 */
function looksLikeAnId(text: string): boolean {
  if (/^[+-]?0\d+$/.test(text)) return true;
  if (/^[+-]?\d+$/.test(text)) return !Number.isSafeInteger(Number(text));
  return /^[+-]?\d{2,}e[+-]?\d+$/i.test(text);
}

/** Judges a metric by its fields in the first rows. */
export function judgeFields(fields: readonly string[], rules: FieldRules): FieldKind {
  const values = fields.filter((field) => !isMissing(field, rules));
  const plain = (kind: FieldKind["kind"], id: string | null = null): FieldKind => ({ kind, id, hasUnits: false });
  if (values.length === 0) return plain("unknown");
  if (values.every((field) => rules.booleans.has(field.toLowerCase()))) return plain("boolean");
  const id = values.find(looksLikeAnId);
  if (id !== undefined) return plain("text", id);
  const numbers = values.filter((field) => numberInText(field, rules.style) !== null).length;
  const carrying = values.filter((field) => isUnit(numberBefore(field, rules.style)?.behind ?? "")).length;
  if ((numbers + carrying) * 2 < values.length) return plain("text");
  return { ...plain("number"), hasUnits: carrying > 0 };
}
