/*
 * A fix is text for a person. What in it can be copied and run, or set as it is, stands in backticks:
 * "See whether it can be reached: `nc -vz kafka 9092`". Terminals and plain readers get it without the marks.
 */

/** The text without its marks. */
export function plainFix(fix: string): string {
  return fix.replaceAll("`", "");
}

/** Returns what can be copied from it, in order; each is a part of the plain text. */
export function commandsOf(fix: string): string[] {
  return [...fix.matchAll(/`([^`]+)`/g)].map(([, command]) => command!);
}

/** Marks what can be copied. */
export function command(text: string): string {
  return `\`${text}\``;
}
