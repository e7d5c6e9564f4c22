import type { Pool } from "pg";
import { z } from "zod";
import { qualityAnswer, qualityQuery } from "@/server/contracts/quality";
import { findWorst, latestScoredDay, scoreSites } from "@/server/quality/worst";
import { openCursor, sealCursor } from "../cursor";
import { NO_PARAMETERS, verb } from "../verb";

const place = z.object({ score: z.number(), device: z.int32(), metric: z.int32() });

export const listQuality = verb(
  {
    method: "GET",
    path: "/api/v1/quality",
    access: "view",
    bySite: true,
    summary: "How good the readings of a day are, by series, worst first",
    description:
      "A score is 100 times the product of its parts; a device is as good as its worst series, a site as the median of its devices. Series of which too little is " +
      "known have none, and come last. Nothing is ever dropped for its quality: readings are flagged. Yesterday and today are scored every five minutes.",
    params: NO_PARAMETERS,
    query: qualityQuery,
    answer: qualityAnswer,
    status: 200,
    problems: [],
  },
  ({ pool }: { readonly pool: Pool }) =>
    async ({ sites }, { query: { limit, cursor, day: asked, ...filter } }) => {
      const day = asked === undefined ? await latestScoredDay(pool, sites) : Date.parse(asked);
      if (day === null) return { day, items: [], next: null, series: 0, sites: [] };
      const order = `quality/${day}`;
      const after = openCursor(order, place, cursor);
      const { series, total } = await findWorst(pool, { ...filter, sites, day }, after, limit + 1);
      const page = series.slice(0, limit);
      const last = page.at(-1);
      return {
        day: dateOf(day),
        items: page.map(({ place: _, ...one }) => one),
        next: series.length > limit && last ? sealCursor(order, last.place) : null,
        series: total,
        sites: await scoreSites(pool, sites, day),
      };
    },
);

/** A UTC day as it goes over the wire. */
export function dateOf(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}
