/** The mark between whole and fraction in a file's numbers. */
export type DecimalMark = "point" | "comma";

const SPACED = /^([+-]?\d{1,3})((?:[ \u00a0\u202f'’]\d{3})+)(?=$|[.,])/;

const POINT = /^[+-]?(?:\d+\.?\d*|\.\d+|\d{1,3}(?:,\d{3})+\.\d*)(?:e[+-]?\d{1,3})?$/i;
const COMMA = /^[+-]?(?:\d+,?\d*|,\d+|\d{1,3}(?:\.\d{3})+(?:,\d*)?)(?:e[+-]?\d{1,3})?$/i;
/** Thousands without a fraction: with a decimal point known for sure, 1,234 is a number too. */
const POINT_GROUPS = /^[+-]?\d{1,3}(?:,\d{3})+$/;

/** A field that can be nothing but a number with a decimal comma: 21,5 · 0,123 · 1.013,4. */
const PROVES_COMMA = /^[+-]?(?:0,\d+|\d*,(?:\d{1,2}|\d{4,})|\d{4,},\d+|\d{1,3}(?:\.\d{3})+,\d*)(?:e[+-]?\d+)?$/i;
/** The same for a decimal point. */
const PROVES_POINT = /^[+-]?(?:0\.\d+|\d*\.(?:\d{1,2}|\d{4,})|\d{4,}\.\d+|\d{1,3}(?:,\d{3})+\.\d*)(?:e[+-]?\d+)?$/i;
/** Thousands, or a fraction of three digits. */
const OPEN_COMMA = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/**
 * Reads a number; `stated` also allows what could be meant otherwise (1,234 with a point).
 * @returns undefined if it is none, or beyond the range of a double.
 */
export function readNumber(text: string, mark: DecimalMark, stated = false): number | undefined {
  const plain = withoutSpaces(text);
  let digits: string | undefined;
  if (mark === "point") {
    if (POINT.test(plain) || (stated && POINT_GROUPS.test(plain))) digits = plain.replaceAll(",", "");
  } else if (COMMA.test(plain)) digits = plain.replaceAll(".", "").replace(",", ".");
  if (digits === undefined) return undefined;
  const number = Number(digits);
  return Number.isFinite(number) ? number : undefined;
}

function withoutSpaces(text: string): string {
  const signed = text.startsWith("\u2212") ? `-${text.slice(1)}` : text;
  return signed.replace(SPACED, (_all, first: string, groups: string) => first + groups.replace(/\D/g, ""));
}

/**
 * True if a field reads as a number but would lose something as one: leading zeros, digits past 2^53, or an exponent
 * after several digits as in the serial 241408E4, which no program writes for a number.
 */
export function looksLikeAnId(text: string): boolean {
  if (/^[+-]?0\d+$/.test(text)) return true;
  if (/^[+-]?\d+$/.test(text)) return !Number.isSafeInteger(Number(text));
  return /^[+-]?\d{2,}e[+-]?\d+$/i.test(text);
}

/** The evidence of the numbers among `fields` for each decimal mark: an example, null when there is none. */
export function decimalEvidence(fields: readonly string[]): {
  readonly comma: string | null;
  readonly point: string | null;
  readonly open: string | null;
} {
  const first = (pattern: RegExp) => fields.find((field) => pattern.test(field)) ?? null;
  return { comma: first(PROVES_COMMA), point: first(PROVES_POINT), open: first(OPEN_COMMA) };
}
