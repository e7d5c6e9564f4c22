/** Longest site or type, in characters (code points). */
export const LABEL_LENGTH = 128;

/** Longest unit, in characters. */
export const UNIT_LENGTH = 32;

/** Matches control characters, those that turn the direction of text too, separators of lines and paragraphs, and halves of characters: nothing a person can read. */
const UNREADABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;

/** A label as it is kept, null for none; or the reason why it can't be kept, as the end of a sentence about it. */
export type Label = { readonly label: string | null } | { readonly problem: string };

/**
 * Reads a site, a type or a unit, which are free text of `most` characters. It is kept as sent, but for white space around it, and in one spelling of
 * characters that can be composed (ö is ö, however it was typed: Unicode's NFC). Text of white space alone is nothing.
 */
export function readLabel(value: unknown, most = LABEL_LENGTH): Label {
  if (value === undefined || value === null) return { label: null };
  if (typeof value !== "string") return { problem: "must be text" };
  const label = value.trim().normalize("NFC");
  const length = [...label].length;
  if (length > most) return { problem: `must be ${most} characters long at most, it has ${length}` };
  if (UNREADABLE.test(label)) return { problem: "must be free of control characters and line breaks" };
  return { label: label === "" ? null : label };
}
