import type { CurrentValue } from "@/server/contracts/common";

/** A text that a person would take for a number. */
export function looksLikeNumber(value: CurrentValue["value"]): boolean {
  return typeof value === "string" && /^\s*[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?\s*$/i.test(value);
}
