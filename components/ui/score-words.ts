/** A score as people read it: never 100 by rounding. */
export function scoreWord(score: number | null): string {
  if (score === null) return "unknown";
  return score === 100 ? "100" : String(Math.min(99, Math.round(score)));
}

/** How a score is marked. */
export function scoreMark(score: number | null): "ok" | "warning" | "failing" | "unknown" {
  if (score === null) return "unknown";
  return score >= 80 ? "ok" : score >= 50 ? "warning" : "failing";
}
