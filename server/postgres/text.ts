/** Backslash, NUL and lone surrogates: what PostgreSQL's text can't hold, and the mark it is written with. */
const UNSTORABLE = /[\\\0]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Any string as text that PostgreSQL can hold: names and common words stay as they are. */
export function storableText(text: string): string {
  return text.replace(UNSTORABLE, (unit) =>
    unit === "\\" ? "\\\\" : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Gives back what {@link storableText} was given. */
export function originalText(stored: string): string {
  return stored.replace(/\\(?:\\|u([0-9a-f]{4}))/g, (_, hex: string | undefined) =>
    hex === undefined ? "\\" : String.fromCharCode(parseInt(hex, 16)),
  );
}

/** A character that JSON text never contains unescaped, so that documents can travel joined, without quoting. */
const BETWEEN_JSON = "\u001e";

/** SQL that turns the parameter made by {@link joinedJson} into rows of text. */
export function joinedJsonArray(parameter: string): string {
  return `string_to_array(${parameter}::text, U&'\\001E')`;
}

/** JSON texts as one parameter; quoting an array of them costs more than writing them. */
export function joinedJson(texts: readonly string[]): string {
  return texts.join(BETWEEN_JSON);
}
