import type { Explained } from "@/server/contracts/sources";
import { below } from "@/server/domain/mapping/paths";
import { type JsonValue, readJsonText } from "../ui/json-text";

/** A value of a payload, and what became of it. */
export type Leaf = Explained["leaves"][number];

/** A line of a payload that is shown as a tree. */
export interface PayloadLine {
  readonly depth: number;
  /** What stands before the value: `"temperature": `. */
  readonly key: string;
  /** The value, or a bracket. As it was written, with every digit. */
  readonly text: string;
  /** What became of it; null for what holds others, or was not looked at. */
  readonly leaf: Leaf | null;
}

/** Lines that are drawn; past them it is said how many there are. */
export const MOST_LINES = 2000;

/**
 * A payload as lines, each leaf with what became of it.
 * @returns null for a payload that is no JSON: then its leaves have no place in it.
 */
export function payloadLines(
  body: string,
  leaves: readonly Leaf[],
): { readonly lines: readonly PayloadLine[]; readonly rest: readonly Leaf[] } | null {
  const read = readJsonText(body);
  if (!read.ok) return null;
  // A part of a payload is told before a colon; of many formats it is a place in the same tree.
  const byPath = new Map(leaves.map((leaf) => [leaf.path.replace(": ", "."), leaf]));
  const lines: PayloadLine[] = [];
  const walk = (value: JsonValue, path: string, key: string, depth: number, comma: string): void => {
    const [open, close] = value.kind === "object" ? ["{", "}"] : ["[", "]"];
    const children =
      value.kind === "object"
        ? value.members.map((member) => ({
            ...{ at: below(path, member.key), value: member.value },
            key: `${body.slice(member.keyStart, member.keyEnd)}: `,
          }))
        : value.elements.map((element, i) => ({ at: below(path, String(i)), value: element, key: "" }));
    if (children.length === 0) {
      const leaf = byPath.get(path) ?? null;
      byPath.delete(path);
      lines.push({ depth, key, text: body.slice(value.start, value.end) + comma, leaf });
      return;
    }
    lines.push({ depth, key, text: open, leaf: null });
    children.forEach((child, i) =>
      walk(child.value, child.at, child.key, depth + 1, i < children.length - 1 ? "," : ""),
    );
    lines.push({ depth, key: "", text: close + comma, leaf: null });
  };
  walk(read.value, "", "", 0, "");
  return { lines, rest: [...byPath.values()] };
}

/** The scalar that a line holds, to be compared with; undefined for none. */
export function scalarIn(text: string): string | number | boolean | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/,$/, ""));
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
  } catch {
    return undefined;
  }
}
