import type { Pool } from "pg";
import type { z } from "zod";
import { keptByKey } from "@/server/async/kept-for";
import { fleetSummaryAnswer, fleetSummaryQuery } from "@/server/contracts/fleet";
import type { Sites } from "@/server/domain/access";
import { createHash } from "node:crypto";
import { countFleet } from "@/server/catalog/device-list";
import { findOrder, narrowByValues, type ReadLatest } from "@/server/catalog/device-values";
import { readSort } from "../devices/sort";
import { toInstantOrNull } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

/** The time an answer is kept, in milliseconds: browsers ask every five seconds. */
const SHARED_MS = 500;

type Query = z.output<typeof fleetSummaryQuery>;

interface Deps {
  readonly pool: Pool;
  readonly readLatest: ReadLatest;
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
  ({ pool, readLatest, staleSeconds }: Deps) => {
    // Every open list and overview asks this of the whole fleet: they share one count.
    const count = keptByKey(SHARED_MS, async ({ sort, ...asked }: Query & { sites: Sites }, now) => {
      const filter = await narrowByValues(readLatest, { ...asked, now, staleSeconds });
      const order = readSort(sort);
      if ("order" in order) return countFleet(pool, { ...filter, ...order });
      // The database can't order by values; what it says of an order by name holds but for the tag.
      const [counts, { ids }] = await Promise.all([
        countFleet(pool, { ...filter, order: "id", descending: false }),
        findOrder(pool, readLatest, { ...filter, ...order }),
      ]);
      return { ...counts, tag: createHash("md5").update(ids.join(",")).digest("hex") };
    });
    return async (ctx, { query }) => {
      const { sites, ...counts } = await count({ ...query, sites: ctx.sites }, ctx.now);
      return { ...counts, sites: sites.map((site) => ({ ...site, lastSeen: toInstantOrNull(site.lastSeen) })) };
    };
  },
);
