import type { StripsAnswer } from "@/server/contracts/devices";
import type { Stretch } from "../ui/ranges";

/**
 * The stretches in which a device has readings of any metric, and the longest without, from `since` on; null: there is none
 * but buckets that are only just begun.
 */
export function seenStretches(
  { strips, bucketMs, to }: Pick<StripsAnswer, "strips" | "bucketMs" | "to">,
  since: number,
): { readonly seen: readonly Stretch[]; readonly longest: Stretch | null } {
  const starts = [...new Set(strips.flatMap(({ points }) => points.map(([time]) => time)))].sort((a, b) => a - b);
  const seen: { from: number; to: number }[] = [];
  for (const from of starts) {
    const before = seen.at(-1);
    if (before?.to === from) before.to = from + bucketMs;
    else seen.push({ from, to: from + bucketMs });
  }
  const end = Date.parse(to);
  const gaps: Stretch[] = [];
  let at = since;
  for (const stretch of [...seen, { from: end, to: end }]) {
    // The bucket that now lies in may not have been reached yet.
    if (stretch.from - at > bucketMs) gaps.push({ from: at, to: stretch.from });
    at = Math.max(at, stretch.to);
  }
  const longest = gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0] ?? null;
  return { seen, longest };
}
