/** What stands in the event log for a record that was erased: nobody handles it. */
export const ERASED_RECORD = Buffer.from("(erased)");

/**
 * What stands where the name of a device was in words of people and in notes. Each erasure has its own, so that no two things come to be called the same.
 * It is a name that a device might have: where a rule or a view selects devices by their names, it goes on being one that can be read.
 */
export function erasedWord(erasure: number): string {
  return `erased-${erasure}`;
}

/**
 * True if a name can be looked for in free text: long enough, and with a digit or a sign between words. Any other, like "pump" or "12",
 * may mean something else there.
 */
export function isTelling(name: string): boolean {
  return name.length >= 4 && /\p{L}/u.test(name) && /[\p{N}_:./#@-]/u.test(name);
}

/** Tells which bytes hold the name as a string of JSON, or, if it is telling, as a word. Made once for all that is looked through. */
export function nameFinder(name: string): (bytes: Uint8Array) => boolean {
  const pattern = namePattern(name);
  return (bytes) => pattern.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
}

/** Finds the name: as a string of JSON, or, if it is telling, as a word. */
function namePattern(name: string): RegExp {
  const own = escaped(name);
  const json = escaped(JSON.stringify(name));
  if (!isTelling(name)) return new RegExp(json, "u");
  // What a name like gw/pump-1 or pump-1.2 has of it is another's.
  const before = "(?<![\\p{L}\\p{N}_./:@#-])";
  return new RegExp(`${before}(?:${own}|${json.slice(1, -1)})(?![\\p{L}\\p{N}_-]|[./:@#][\\p{L}\\p{N}])`, "u");
}

/** The same as a regular expression of PostgreSQL, for words alone. */
export function sqlWordPattern(name: string): string {
  const forms = [...new Set([name, JSON.stringify(name).slice(1, -1), encodeURIComponent(name)])].map(escaped);
  return `(?:(?<![[:alnum:]_./:@#-])|(?<=devices/))(?:${forms.join("|")})(?![[:alnum:]_-]|[./:@#][[:alnum:]])`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
