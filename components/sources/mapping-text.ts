import type { Problem } from "@/server/contracts/common";
import type { MappingInput } from "@/server/domain/mapping/mapping";
import { type JsonValue, lineAndColumn, readJsonText } from "../ui/json-text";

/** A mapping as it is written for people. */
export function mappingText(mapping: MappingInput): string {
  return `${JSON.stringify(mapping, null, 2)}\n`;
}

/** A text read as a mapping's JSON; the server says whether it is one. */
export type MappingReading =
  | { readonly ok: true; readonly mapping: MappingInput }
  | { readonly ok: false; readonly why: string };

export function readMapping(text: string): MappingReading {
  const read = readJsonText(text);
  if (!read.ok) {
    const { line, column } = lineAndColumn(text, read.at);
    return { ok: false, why: `Not JSON: at line ${line}, column ${column}, ${read.why}.` };
  }
  if (read.value.kind !== "object") return { ok: false, why: "A mapping is an object {…}." };
  try {
    return { ok: true, mapping: JSON.parse(text) as MappingInput };
  } catch {
    return { ok: false, why: "Not JSON: there are no NaN and Infinity in a mapping." };
  }
}

/** Something wrong with a mapping, by its path. */
export interface MappingFault {
  /** From the mapping's root, with dots. */
  readonly path: string;
  readonly message: string;
  /** Where that is in the text, from 1; null where it isn't there. */
  readonly line: number | null;
}

/** What a server says is wrong with the `mapping` of a body, with the lines of a text. */
export function faultsOf(problem: Problem | null, text: string): readonly MappingFault[] {
  const read = readJsonText(text);
  return (problem?.errors ?? []).map(({ at, message }) => {
    const path = at.replace(/^mapping\.?/, "");
    return { path, message, line: read.ok ? lineOf(read.value, path, text) : null };
  });
}

function lineOf(root: JsonValue, path: string, text: string): number | null {
  let at = root;
  for (const key of path.split(".").filter(Boolean)) {
    const next: JsonValue | undefined =
      at.kind === "array" ? at.elements[Number(key)] : at.members.find((member) => member.key === key)?.value;
    // What is missing is told where it belongs.
    if (!next) break;
    at = next;
  }
  return at === root ? null : lineAndColumn(text, at.start).line;
}
