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

const NUMBER = /^[-+]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,4})?$/i;
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?$/i;
/** Digits that every double holds. */
const ALWAYS_HELD = 15;

/**
 * Reads a text that is a number and nothing else: with a point, or a comma if asked, and perhaps an exponent. A zero before other digits is
 * part of a name or a code, not of a number. Null for all other text.
 */
export function numberInText(text: string, comma: boolean): NumberInText | null {
  // Most texts are words.
  const first = text.charCodeAt(0);
  if (first > 0x39 || text.length > 400) return null;
  let trimmed = text.trim();
  if (comma) trimmed = trimmed.includes(".") ? "" : trimmed.replace(",", ".");
  if (!NUMBER.test(trimmed)) return null;
  const value = Number(trimmed);
  if (!Number.isFinite(value)) return null;
  if (trimmed.length <= ALWAYS_HELD || String(value) === trimmed) return { value, token: undefined };
  const unsigned = trimmed.startsWith("+") ? trimmed.slice(1) : trimmed;
  return { value, token: JSON_NUMBER.test(unsigned) ? unsigned : undefined };
}
