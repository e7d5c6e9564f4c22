/** Backslash, and surrogates without their other half, which BSON's UTF-8 can't hold. */
const UNSTORABLE = /\\|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Any string as text that BSON gives back unchanged: names and common words stay as they are. */
export function storableText(text: string): string {
  return text.replace(UNSTORABLE, (unit) => (unit === "\\" ? "\\\\" : `\\u${unit.charCodeAt(0).toString(16)}`));
}

/** Gives back what {@link storableText} was given. */
export function originalText(stored: string): string {
  return stored.replace(/\\(?:\\|u([0-9a-f]{4}))/g, (_, hex: string | undefined) =>
    hex === undefined ? "\\" : String.fromCharCode(parseInt(hex, 16)),
  );
}
