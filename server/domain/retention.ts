/** The kinds of readings that are kept, each for its own time: the readings themselves, and their rollups by minute and hour. */
export const KEPT = ["raw", "minutes", "hours"] as const;

export type Kept = (typeof KEPT)[number];

/** The days of event time each kind is kept; null: for ever. */
export type Retention = Readonly<Record<Kept, number | null>>;

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
