import type { Pool } from "pg";
import { fleetSummaryAnswer, fleetSummaryQuery } from "@/server/contracts/fleet";
import { countFleet } from "@/server/catalog/device-list";
import { readSort } from "../devices/sort";
import { toInstantOrNull } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

interface Deps {
  readonly pool: Pool;
  readonly staleSeconds: number;
}

export const getFleetSummary = verb(
  {
    method: "GET",
    path: "/api/v1/fleet/summary",
    summary: "How many devices match, by state and by site, and whether their order changed",
    params: NO_PARAMETERS,
    query: fleetSummaryQuery,
    answer: fleetSummaryAnswer,
    status: 200,
    problems: [],
  },
  ({ pool, staleSeconds }: Deps) =>
    async (ctx, { query: { sort, ...filter } }) => {
      const counts = await countFleet(pool, { ...filter, ...readSort(sort), now: ctx.now, staleSeconds });
      return {
        all: counts.all,
        total: counts.total,
        conflicts: counts.conflicts,
        states: counts.states,
        sites: counts.sites.map((site) => ({
          ...site,
          lastSeen: toInstantOrNull(site.lastSeen),
        })),
        tag: counts.tag,
      };
    },
);
