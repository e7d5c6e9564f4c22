import { readable } from "@/server/domain/readable";
import type { AuditRowView } from "@/server/contracts/access";
import type { Mark } from "../ui/state-mark";

/** A verb's name in words: "signInByLink" is "Sign in by link". */
export function verbWords(verb: string): string {
  const words = verb.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A verb's name, from that or its words: both "signInByLink" and "Sign in by link". */
export function verbIn(text: string): string {
  const [first = "", ...others] = text.trim().split(/\s+/);
  if (others.length === 0) return first.charAt(0).toLowerCase() + first.slice(1);
  return (
    first.toLowerCase() + others.map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()).join("")
  );
}

/** Outcomes with their mark and word. */
export const OUTCOMES: Record<AuditRowView["outcome"], readonly [Mark, string]> = {
  tried: ["unknown", "Tried"],
  done: ["ok", "Done"],
  denied: ["warning", "Denied"],
  failed: ["failing", "Failed"],
};

/** A row's outcome with its mark and word. */
export function outcomeOf({
  outcome,
  unsettled,
}: Pick<AuditRowView, "outcome" | "unsettled">): readonly [Mark, string] {
  return unsettled ? ["warning", "Outcome unknown"] : OUTCOMES[outcome];
}

/** One thing that a row tells of: what it was before and is after, or what was asked for. Undefined: it isn't told. */
export interface Told {
  readonly what: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What a row's detail tells, a line each; before and after where they differ. */
export function toldIn(detail: unknown): readonly Told[] {
  if (!isRecord(detail)) return [];
  const { before, after, asked, ...others } = detail;
  const changes = [...new Set([...Object.keys(flat(before)), ...Object.keys(flat(after))])].map((what) => ({
    what: what || "All of it",
    before: flat(before)[what],
    after: flat(after)[what],
  }));
  const plain = Object.entries({ ...flat(asked), ...flat(others) }).map(([what, after]) => ({
    what,
    before: undefined,
    after,
  }));
  return [...changes.filter(({ before, after }) => before !== after), ...plain];
}

/** Values by their place, in words. */
function flat(value: unknown, path = ""): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) return { [path]: readable(wordOf(value)) };
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, each]) => flat(each, path === "" ? key : `${path}.${key}`)),
  ) as Record<string, string>;
}

function wordOf(value: unknown): string {
  if (value === null || value === "") return "none";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(wordOf).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (!isRecord(value)) return String(value as string | number);
  return Object.entries(value)
    .map(([key, each]) => `${key}: ${wordOf(each)}`)
    .join(", ");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The outcome an address names, or null. */
export function outcomeIn(text: string | null): AuditRowView["outcome"] | null {
  return text !== null && Object.hasOwn(OUTCOMES, text) ? (text as AuditRowView["outcome"]) : null;
}
