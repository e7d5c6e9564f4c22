import type { FleetSummary } from "@/server/contracts/fleet";

export type Site = FleetSummary["sites"][number];

/** Devices of a site that are overdue. */
export function overdueOf({ states }: Pick<Site, "states">): number {
  return states.silent + states.stale;
}

/** Sites with devices: most overdue ones first, then by name. Counts of live devices move nothing. */
export function inTroubleOrder(sites: readonly Site[]): Site[] {
  return sites
    .filter(({ devices }) => devices > 0)
    .toSorted((a, b) => overdueOf(b) - overdueOf(a) || (a.name < b.name ? -1 : 1));
}
