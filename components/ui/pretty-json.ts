/**
 * A JSON text with line breaks and indents, and every figure and string exactly as it was written: reading and writing
 * it again would turn 1.0 into 1 and round long numbers. Text that isn't JSON comes out with its own characters.
 */
export function prettyJson(text: string): string {
  let out = "";
  let depth = 0;
  let i = 0;
  const line = () => `\n${"  ".repeat(Math.max(0, depth))}`;
  while (i < text.length) {
    const char = text[i]!;
    if (char === '"') {
      const end = endOfString(text, i);
      out += text.slice(i, end);
      i = end;
      continue;
    }
    i++;
    if (/\s/.test(char)) continue;
    if (char === "{" || char === "[") {
      const closing = /^\s*[}\]]/.exec(text.slice(i, i + 64));
      if (closing) {
        out += char + closing[0].trim();
        i += closing[0].length;
        continue;
      }
      depth++;
      out += char + line();
    } else if (char === "}" || char === "]") {
      depth--;
      out += line() + char;
    } else if (char === ",") out += char + line();
    else if (char === ":") out += ": ";
    else out += char;
  }
  return out;
}

/** Returns where the string that begins at `start` ends, after its closing quote. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}
