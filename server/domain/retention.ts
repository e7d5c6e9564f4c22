import type { EpochMs } from "./terms";

/** The kinds of readings that are kept, each for its own time: the readings themselves, and their rollups by minute and hour. */
export const KEPT = ["raw", "minutes", "hours"] as const;

export type Kept = (typeof KEPT)[number];

/** The days of event time each kind is kept; null: for ever. */
export type Retention = Readonly<Record<Kept, number | null>>;

const DAY = 24 * 3_600_000;

/**
 * A rule removes nothing for so long after it was changed: by then everybody who takes messages goes by it, and who
 * mistyped it has had time to see.
 */
export const GRACE_MS = 10 * 60_000;

/** The time before which everything of a kind is to be removed at `now`; null: nothing is, for ever or for now. */
export function removedBefore(
  rule: { readonly days: number | null; readonly changedAt: EpochMs | null },
  now: EpochMs,
): EpochMs | null {
  if (rule.days === null || (rule.changedAt !== null && now - rule.changedAt < GRACE_MS)) return null;
  return now - rule.days * DAY;
}

/** How old a reading may be to be taken at `now`, in milliseconds; null: there is no limit. */
export type OldestTaken = (now: EpochMs) => number | null;

/** What readings are taken, by how long they are kept and what of them was removed. */
export function oldestTaken(raw: { readonly days: number | null; readonly goneBefore: EpochMs | null }): OldestTaken {
  return (now) => {
    const limits = [
      ...(raw.days === null ? [] : [raw.days * DAY]),
      ...(raw.goneBefore === null ? [] : [now - raw.goneBefore]),
    ];
    return limits.length === 0 ? null : Math.min(...limits);
  };
}

/** Says what is wrong with a retention, by the kind at fault; null: nothing. Coarser kinds are kept at least as long as finer ones. */
export function faultOf(
  retention: Retention,
  leastDays: number,
): { readonly at: Kept; readonly message: string } | null {
  if (retention.raw !== null && retention.raw < leastDays)
    return {
      at: "raw",
      message: `must be ${leastDays} or more: messages may wait in the event log for so long, and would be too old when their turn comes`,
    };
  for (const [finer, coarser] of [
    ["raw", "minutes"],
    ["minutes", "hours"],
  ] as const) {
    const [less, more] = [retention[finer], retention[coarser]];
    if (more !== null && (less === null || more < less))
      return {
        at: coarser,
        message: `must not be below ${finer}, which ${less === null ? "are kept for ever" : `is ${less}`}: change that as well`,
      };
  }
  return null;
}
