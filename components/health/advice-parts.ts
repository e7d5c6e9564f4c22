/** A part of a fix: words to read, or a command or setting to copy. */
export interface AdvicePart {
  readonly text: string;
  readonly isCommand: boolean;
}

/** A fix in its parts, in order. Commands that aren't in it are left out; words between them are trimmed. */
export function partsOf(fix: string, commands: readonly string[]): AdvicePart[] {
  const parts: AdvicePart[] = [];
  let rest = fix;
  const say = (text: string) => {
    const trimmed = text.replace(/^[\s,;.)]+|[\s(]+$/g, "");
    if (trimmed !== "") parts.push({ text: trimmed, isCommand: false });
  };
  for (const command of commands) {
    const at = rest.indexOf(command);
    if (at < 0) continue;
    say(rest.slice(0, at));
    parts.push({ text: command, isCommand: true });
    rest = rest.slice(at + command.length);
  }
  if (parts.length === 0) return [{ text: fix, isCommand: false }];
  say(rest);
  return parts;
}
