/*
 * A fix is text for a person. Anything in it that can be copied and run, or set as it is, stands in backticks:
 * "See whether it can be reached: `nc -vz kafka 9092`". Terminals and plain readers get it without the marks.
 */

/** Returns the text without its marks. */
export function plainFix(fix: string): string {
  return fix.replaceAll("`", "");
}

/** Returns the parts that can be copied from it, in order; each is a part of the plain text. */
export function commandsOf(fix: string): string[] {
  return [...fix.matchAll(/`([^`]+)`/g)].map(([, command]) => command!);
}

/** Text of a command that is safe to copy, because every value in it was made so. */
export class SafeText {
  constructor(readonly text: string) {}
}

type Value = string | number | SafeText | readonly string[];

/**
 * Marks text that can be copied. Every value in it is made safe by {@link safeName}, a list one by one: many come from outside
 * (a broker tells its host), and what is copied is run by somebody who trusts it.
 */
export function command(words: TemplateStringsArray, ...values: readonly Value[]): string {
  return `\`${safeText(words, ...values).text}\``;
}

/** Writes a part of a command, with its values made safe. */
export function safeText(words: TemplateStringsArray, ...values: readonly Value[]): SafeText {
  const safe = values.map((value) => {
    if (value instanceof SafeText) return value.text;
    return Array.isArray(value) ? value.map(safeName).join(",") : safeName(String(value));
  });
  return new SafeText(words.map((text, i) => text + (safe[i] ?? "")).join(""));
}

/** Returns a name as it may stand in a command: itself, or NAME for the reader to fill in if a shell could take it for more. */
export function safeName(name: string): string {
  return /^[A-Za-z0-9.:_][A-Za-z0-9.:_-]*$/.test(name) ? name : "NAME";
}
