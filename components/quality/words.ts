/** A part as a share: never whole by rounding. */
export function partWord(part: number | null): string {
  if (part === null) return "unknown";
  return part === 1 ? "100 %" : `${Math.min(99.9, Math.round(part * 1000) / 10)} %`;
}
