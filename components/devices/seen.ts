import type { StripsAnswer } from "@/server/contracts/devices";
import type { EpochMs } from "@/server/domain/terms";
import { formatDuration, formatMoment, type Zone } from "../ui/format";
import type { Stretch } from "../ui/ranges";

/** A stretch without readings; one that is open ends now, and goes on. */
interface Gap extends Stretch {
  readonly isOpen: boolean;
}

interface Seen {
  /** When the device was known first; what lies before isn't a gap. The start of the range when it was known before. */
  readonly since: EpochMs;
  /** The stretches with readings of any metric, in whole buckets. */
  readonly seen: readonly Stretch[];
  /** The longest stretch without since it is known; null when none is longer than a bucket. */
  readonly longest: Gap | null;
}

/**
 * When a device had readings of any metric, and when not.
 * @param firstSeen when its first message came; readings may be of a time before.
 * @param now when this was asked for: the last bucket may reach beyond.
 */
export function seenStretches(
  { strips, bucketMs, from: start }: Pick<StripsAnswer, "strips" | "bucketMs" | "from">,
  firstSeen: EpochMs,
  now: EpochMs,
): Seen {
  const starts = [...new Set(strips.flatMap(({ points }) => points.map(([time]) => time)))].sort((a, b) => a - b);
  const seen: { from: number; to: number }[] = [];
  for (const from of starts) {
    const before = seen.at(-1);
    if (before?.to === from) before.to = from + bucketMs;
    else seen.push({ from, to: from + bucketMs });
  }
  const since = Math.max(Date.parse(start), Math.min(firstSeen, starts[0] ?? now, now));
  const ends = [since, ...seen.map(({ to }) => to)];
  const over = seen.map(({ from }, i) => ({ from: ends[i]!, to: from, isOpen: false }));
  // The newest reading is known to the moment: what is silent now is so since then, not since the end of that bucket.
  const newest = Math.max(...strips.map(({ latest }) => latest ?? -Infinity));
  const end = ends.at(-1)!;
  const open = { from: newest > since ? Math.min(newest, end) : end, to: now, isOpen: true };
  const gaps = [...over, open].filter(({ from, to }) => to - from > bucketMs);
  return { since, seen, longest: gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from))[0] ?? null };
}

/** How long a gap is and when it ended: "10 min, until 09:40", or "11 min 7 s, still". */
export function gapWords({ from, to, isOpen }: Gap, zone: Zone): string {
  return `${formatDuration(to - from)}, ${isOpen ? "still" : `until ${formatMoment(to, zone)}`}`;
}
