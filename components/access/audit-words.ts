import type { AuditRowView } from "@/server/contracts/access";
import type { Mark } from "../ui/state-mark";

/** A verb's name in words: "signInByLink" is "Sign in by link". */
export function verbWords(verb: string): string {
  const words = verb.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Outcomes with their mark and word. */
export const OUTCOMES: Record<AuditRowView["outcome"], readonly [Mark, string]> = {
  tried: ["unknown", "Tried"],
  done: ["ok", "Done"],
  denied: ["warning", "Denied"],
  failed: ["failing", "Failed"],
};

/** The outcome an address names, or null. */
export function outcomeIn(text: string | null): AuditRowView["outcome"] | null {
  return text !== null && Object.hasOwn(OUTCOMES, text) ? (text as AuditRowView["outcome"]) : null;
}
