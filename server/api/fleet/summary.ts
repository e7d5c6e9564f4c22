import type { Pool } from "pg";
import type { z } from "zod";
import { keptByKey } from "@/server/async/kept-for";
import { fleetSummaryAnswer, fleetSummaryQuery } from "@/server/contracts/fleet";
import type { Sites } from "@/server/domain/access";
import { countFleet } from "@/server/catalog/device-list";
import { readSort } from "../devices/sort";
import { toInstantOrNull } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

/** The time an answer is kept, in milliseconds: browsers ask every five seconds. */
const SHARED_MS = 500;

type Query = z.output<typeof fleetSummaryQuery>;

interface Deps {
  readonly pool: Pool;
  readonly staleSeconds: number;
}

export const getFleetSummary = verb(
  {
    method: "GET",
    path: "/api/v1/fleet/summary",
    access: "view",
    bySite: true,
    summary: "How many devices match, by state and by site, and whether their order changed",
    params: NO_PARAMETERS,
    query: fleetSummaryQuery,
    answer: fleetSummaryAnswer,
    status: 200,
    problems: [],
  },
  ({ pool, staleSeconds }: Deps) => {
    // Every open list and overview asks this of the whole fleet: they share one count.
    const count = keptByKey(SHARED_MS, ({ sort, ...filter }: Query & { sites: Sites }, now) => {
      return countFleet(pool, { ...filter, ...readSort(sort), now, staleSeconds });
    });
    return async (ctx, { query }) => {
      const { sites, ...counts } = await count({ ...query, sites: ctx.sites }, ctx.now);
      return { ...counts, sites: sites.map((site) => ({ ...site, lastSeen: toInstantOrNull(site.lastSeen) })) };
    };
  },
);
