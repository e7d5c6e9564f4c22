import type { Check } from "../../ui/check-words";

/** A flagged stretch; times in epoch ms. */
export interface Flag {
  readonly metric: string | null;
  readonly check: Check;
  readonly level: "suspect" | "fail";
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Where a moment lies within [from, to), in percent of its width. */
export function shareOfTime(time: number, from: number, to: number): number {
  return (100 * (Math.min(Math.max(time, from), to) - from)) / (to - from);
}

/** Where flags lie within [from, to), in percent of its width; those that fail last, so that they lie above. */
export function placesOf(flags: readonly Flag[], from: number, to: number) {
  const share = (time: number) => shareOfTime(time, from, to);
  return flags
    .filter((flag) => flag.to >= from && flag.from < to)
    .map((flag) => ({ flag, left: share(flag.from), width: share(flag.to) - share(flag.from) }))
    .sort((a, b) => Number(a.flag.level === "fail") - Number(b.flag.level === "fail"));
}
