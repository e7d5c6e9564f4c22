import type { Pool } from "pg";
import { z } from "zod";
import { oddAnswer, oddQuery } from "@/server/contracts/odd";
import { WARM_UP_MS, WARM_UP_STEPS } from "@/server/domain/oddness/detector";
import { usualRange } from "@/server/domain/oddness/words";
import { groupOdd } from "@/server/oddness/groups";
import { listOdd, oddCoverage, type OddStretch } from "@/server/oddness/list";
import { STEP_MS } from "@/server/oddness/follow";
import { readDeviceSteps } from "@/server/readings/steps";
import { openCursor, sealCursor } from "../cursor";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";
import { toGroup, toStretch } from "./view";

// Its column holds no more.
const place = z.object({ goesOn: z.boolean(), peak: z.float32(), id: z.string().regex(/^\d{1,18}$/) });
const DAY_MS = 86_400_000;
/** Steps of a line, twelve hours. */
const LINE_STEPS = 144;

export const listOddness = verb(
  {
    method: "GET",
    path: "/api/v1/odd",
    access: "view",
    bySite: true,
    summary: "Series that are farther from their own usual than before, the oddest first",
    description:
      "Each number series is compared with its own past in steps of five minutes. 1.3 says: 30 % farther from usual than anything it remembers. It is ranked and shown, " +
      "and nobody is told of it but by an alert rule of the kind oddness.",
    params: NO_PARAMETERS,
    query: oddQuery,
    answer: oddAnswer,
    status: 200,
    problems: [],
  },
  ({ pool }: { readonly pool: Pool }) =>
    async ({ sites, now }, { query: { limit, cursor, state, least, ...filter } }) => {
      const order = `odd/${state}/${least}`;
      const since = state === "now" ? "now" : now - (state === "day" ? 1 : 7) * DAY_MS;
      const after = openCursor(order, place, cursor);
      const groups = await groupOdd(pool, { ...filter, sites, least });
      const without = {
        devices: groups.flatMap(({ deviceId }) => deviceId ?? []),
        sites: groups.flatMap(({ deviceId, siteId }) => (deviceId === null ? (siteId ?? []) : [])),
      };
      const query = { ...filter, sites, after: since, least, without } as const;
      const { stretches, total } = await listOdd(pool, query, after, limit + 1);
      const page = stretches.slice(0, limit);
      const last = page.at(-1);
      const { real, normal, firstAt, ...coverage } = await oddCoverage(pool, sites, {
        steps: WARM_UP_STEPS,
        ms: WARM_UP_MS,
      });
      const items = [];
      for (const one of page) items.push({ ...toStretch(one), ...(await lineOf(pool, one, now)) });
      return {
        ...coverage,
        groups: after === null ? groups.map(toGroup) : [],
        items,
        total,
        next:
          stretches.length > limit && last
            ? sealCursor(order, { goesOn: last.goesOn, peak: last.peak, id: last.id })
            : null,
        firstAt: firstAt === null ? null : toInstant(firstAt),
        said: { real, normal },
      };
    },
);

/** What is drawn of it: the twelve hours up to its end, or now, and what is usual. */
async function lineOf(pool: Pool, stretch: OddStretch, now: number) {
  const { deviceId: device, metricId: metric, goesOn, channel } = stretch;
  const end = goesOn ? Math.max(stretch.to, now - (now % STEP_MS)) : stretch.to + (LINE_STEPS / 4) * STEP_MS;
  const from = end - LINE_STEPS * STEP_MS;
  const points = (await readDeviceSteps(pool, { device, metrics: [metric], from, to: end }, STEP_MS)).get(metric) ?? [];
  const line = new Array<number | null>(LINE_STEPS).fill(null);
  for (const { time, mean } of points) line[(time - from) / STEP_MS] = mean;
  return { line, band: channel === "roughness" ? null : ([...usualRange(stretch)] as [number, number]) };
}
