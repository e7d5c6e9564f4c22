/** A number's digits as they were sent, if no double holds them; else as JavaScript writes it, with the sign of zero. */
export function writeNumber(value: number, token: string | undefined): string {
  if (token !== undefined) return token;
  return value === 0 && Object.is(value, -0) ? "-0" : String(value);
}

/** A number written as text. */
interface NumberInText {
  readonly value: number;
  /** Its digits as JSON, where the double doesn't hold them; else undefined. */
  readonly token: string | undefined;
}

/** How numbers are written in texts; {@link mappingSchema} tells of each. */
export interface NumberStyle {
  readonly decimalComma: boolean;
  readonly thousands: boolean;
}

/** With an exponent after one digit, or a fraction: 241408E4 is a serial, no program writes a number so. */
const NUMBER = /^[-+]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+|(?:\d(?:\.\d*)?|[1-9]\d+\.\d*|\.\d+)e[-+]?\d{1,4})$/i;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?$/i;
/** Thousands apart by a mark, spaces or apostrophes; one kind in a number. */
const WITH_COMMAS = /^([-+]?)([1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}([ \u00a0\u202f'’])\d{3}(?:\3\d{3})*)(\.\d*)?$/;
const WITH_POINTS = /^([-+]?)([1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}([ \u00a0\u202f'’])\d{3}(?:\3\d{3})*)(,\d*)?$/;
const MINUS = 0x2212;
/** Digits that every double holds. */
const ALWAYS_HELD = 15;

/**
 * Reads a text that is a number and nothing else. A zero before other digits is part of a name or a code, not of a number. Null for all other text.
 */
export function numberInText(text: string, style: NumberStyle): NumberInText | null {
  // Most texts are words.
  const first = text.charCodeAt(0);
  if ((first > 0x39 && first !== MINUS) || text.length > 400) return null;
  const trimmed = first === MINUS ? `-${text.slice(1).trim()}` : text.trim();
  const plain = style.decimalComma ? (trimmed.includes(".") ? "" : trimmed.replace(",", ".")) : trimmed;
  const digits = NUMBER.test(plain) ? plain : ungrouped(trimmed, style);
  if (digits === null) return null;
  const value = Number(digits);
  if (!Number.isFinite(value)) return null;
  if (digits.length <= ALWAYS_HELD || String(value) === digits) return { value, token: undefined };
  const unsigned = digits.startsWith("+") ? digits.slice(1) : digits;
  return { value, token: JSON_NUMBER.test(unsigned) ? unsigned : undefined };
}

/** A number with its thousands together; null for what is none, or may be meant otherwise. */
function ungrouped(text: string, { decimalComma, thousands }: NumberStyle): string | null {
  const [all, sign, whole, , fraction] = (decimalComma ? WITH_POINTS : WITH_COMMAS).exec(text) ?? [];
  if (all === undefined || (fraction === undefined && !thousands)) return null;
  return `${sign}${whole!.replaceAll(/\D/g, "")}${(fraction ?? "").replace(",", ".")}`;
}

const WITH_UNIT = /^([-+\u2212]?[\d.,'’ \u00a0\u202f]*\d[.,]?(?:e[-+]?\d+)?)[ \u00a0\u202f]*([^\d\s.,+-].*)$/iu;

/** A number and what stands behind it, as in "21.3 °C"; null if there is no number. */
export function numberBefore(text: string, style: NumberStyle): (NumberInText & { readonly behind: string }) | null {
  const [, written, behind] = text.length > 100 ? [] : (WITH_UNIT.exec(text.trim()) ?? []);
  const number = written === undefined ? null : numberInText(written.trim(), style);
  return number === null ? null : { ...number, behind: behind! };
}
