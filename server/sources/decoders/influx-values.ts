import { UnreadableError } from "./decoder";
import type { TreeBuilder } from "./tree";

const BOOLEANS: Readonly<Record<string, boolean>> = {
  ...{ t: true, T: true, true: true, True: true, TRUE: true },
  ...{ f: false, F: false, false: false, False: false, FALSE: false },
};

const FLOAT = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const INTEGER = /^[-+]?\d{1,19}i$/;
const UNSIGNED = /^\d{1,20}u$/;
const [INT_MIN, INT_MAX, UINT_MAX] = [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 64n - 1n];

/** Something that was read, and where it ends. */
interface Read {
  readonly value: string;
  readonly end: number;
}

/** Reads a measurement, a key or a tag's value up to one of `stops` that has no backslash before it. */
export function readName(text: string, start: number, stops: string): Read {
  let end = start;
  let isEscaped = false;
  for (; end < text.length; end++) {
    const char = text[end]!;
    if (char === "\n") break;
    if (char === "\\") {
      isEscaped = true;
      if (end + 1 < text.length && text[end + 1] !== "\n") end++;
    } else if (stops.includes(char)) break;
  }
  const raw = text.slice(start, end);
  return { value: isEscaped ? raw.replace(/\\([,= ])/g, "$1") : raw, end };
}

/** Reads `key=value` into `fields`. @returns where it ends. @throws UnreadableError */
export function readField(text: string, start: number, tree: TreeBuilder, fields: Record<string, unknown>): number {
  const key = readName(text, start, ",= ");
  if (key.value === "") throw new UnreadableError("it has no fields, or one without a name");
  if (text[key.end] !== "=") throw new UnreadableError(`field ${shown(key.value)} has no value`);
  // Only the last would be left.
  if (Object.hasOwn(fields, key.value)) throw new UnreadableError(`field ${shown(key.value)} is there more than once`);
  const at = key.end + 1;
  if (text[at] === '"') {
    const quoted = readQuoted(text, at + 1, key.value);
    tree.set(fields, key.value, quoted.value);
    return quoted.end;
  }
  let end = at;
  while (end < text.length && !", \n\r".includes(text[end]!)) end++;
  setValue(tree, fields, key.value, text.slice(at, end));
  return end;
}

function readQuoted(text: string, start: number, key: string): Read {
  let end = start;
  while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  if (end >= text.length) throw new UnreadableError(`the text of field ${shown(key)} has no end`);
  const next = text[end + 1];
  if (next !== undefined && !", \n\r".includes(next))
    throw new UnreadableError(`${JSON.stringify(next)} follows the text of field ${shown(key)}`);
  return { value: text.slice(start, end).replace(/\\(["\\])/g, "$1"), end: end + 1 };
}

function setValue(tree: TreeBuilder, fields: Record<string, unknown>, key: string, raw: string): void {
  if (Object.hasOwn(BOOLEANS, raw)) tree.set(fields, key, BOOLEANS[raw]);
  else if (INTEGER.test(raw) || UNSIGNED.test(raw)) {
    const integer = BigInt(raw.slice(raw.startsWith("+") ? 1 : 0, -1));
    const isHeld = raw.endsWith("u") ? integer <= UINT_MAX : integer >= INT_MIN && integer <= INT_MAX;
    if (!isHeld) throw new UnreadableError(`field ${shown(key)}: ${raw} is out of range`);
    tree.setNumber(fields, key, String(integer));
  } else if (FLOAT.test(raw)) tree.setNumber(fields, key, decimal(raw));
  else
    throw new UnreadableError(
      `field ${shown(key)}: ${shown(raw)} is neither a number, true or false, nor text in quotes`,
    );
}

/** Writes a float as JSON has it: `+1`, `.5`, `5.` and `007` are no JSON. */
function decimal(raw: string): string {
  return raw
    .replace(/^\+/, "")
    .replace(/^(-?)0+(?=\d)/, "$1")
    .replace(/^(-?)\./, "$10.")
    .replace(/\.(?=$|[eE])/, "");
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
