import type { ListedAlert } from "@/server/contracts/alerts";

/** An alert as a list shows it. */
export type StillAlert = ListedAlert & {
  /** True for one that left the list while its rows were held in their places. */
  readonly isGone?: boolean;
};

/**
 * The rows that were there in the places that they had, each as it is now, so that none moves under the pointer. One that is gone stays, marked.
 * @returns with how many wait for a place
 */
export function keepStill(
  before: readonly StillAlert[],
  now: readonly ListedAlert[],
): { readonly rows: readonly StillAlert[]; readonly waiting: number } {
  const fresh = new Map(now.map((alert) => [alert.id, alert]));
  const rows = before.map((row) => fresh.get(row.id) ?? { ...row, isGone: true });
  const kept = new Set(before.map(({ id }) => id));
  return { rows, waiting: now.filter(({ id }) => !kept.has(id)).length };
}
