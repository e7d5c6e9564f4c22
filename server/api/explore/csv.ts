import { exploreQuery } from "@/server/contracts/explore";
import { meanWithoutDust } from "@/server/domain/dust";
import { csvLines } from "../csv";
import { toInstant } from "../instant";
import { fileAnswer, NO_PARAMETERS, verb } from "../verb";
import { explore, type ExploreDeps, type Explored, type Stretch } from "./explored";

export const exportExplore = verb(
  {
    method: "GET",
    path: "/api/v1/explore.csv",
    access: "view-messages",
    bySite: true,
    audited: "seen",
    summary: "One metric of many devices, sites or types as CSV",
    description:
      "What GET /api/v1/explore answers with the same parameters, a row for each step of each series that has readings: RFC 4180 with a header line, times " +
      "in UTC. With `previous`, the column period tells the two stretches apart. Means are of all their digits; what was rounded for a strip isn't here.",
    params: NO_PARAMETERS,
    query: exploreQuery,
    answer: fileAnswer,
    status: 200,
    problems: ["not-found", "cold-storage-unavailable"],
    file: { contentType: "text/csv; charset=utf-8; header=present", schema: { type: "string" } },
  },
  (deps: ExploreDeps) =>
    async (ctx, { query }) => {
      const explored = await explore(deps, ctx, query);
      const name = `${explored.metric.name.replaceAll(":", "_")}-${toInstant(ctx.now).slice(0, 19).replaceAll(":", "")}Z.csv`;
      return { name, text: linesOf(explored, query.by) };
    },
);

/** The header and the steps, a series after another, in pieces. */
async function* linesOf(explored: Explored, by: string): AsyncGenerator<string> {
  const { previous } = explored;
  const periods: [string[], Stretch][] = previous
    ? [
        [["now"], explored],
        [["previous"], previous],
      ]
    : [[[], explored]];
  const about = by === "device" ? ["site", "type"] : ["devices"];
  yield csvLines([["time", ...(previous ? ["period"] : []), by, ...about, "unit", "count", "mean", "min", "max"]]);
  for (const [period, { series }] of periods)
    for (const { points, name, site, type, devices, unit } of series) {
      if (points.length === 0) continue;
      const own = [name, ...(by === "device" ? [site, type] : [devices]), unit];
      yield csvLines(
        points.map(({ time, count, mean, min, max }) => {
          return [toInstant(time), ...period, ...own, count, meanWithoutDust({ mean, min, max }), min, max];
        }),
      );
    }
}
