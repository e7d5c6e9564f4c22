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

/** A part as a share: never whole by rounding. */
export function partWord(part: number | null): string {
  if (part === null) return "unknown";
  return part === 1 ? "100 %" : `${Math.min(99.9, Math.round(part * 1000) / 10)} %`;
}
