import { type ExploreAnswer, type ExploreSeries, exploreAnswer, exploreQuery } from "@/server/contracts/explore";
import { bandOf, type BandStep, outliersOf } from "@/server/domain/explore/band";
import type { StepSeries } from "@/server/domain/explore/series";
import { toInstant } from "../instant";
import { shortened } from "../shortened";
import { NO_PARAMETERS, verb } from "../verb";
import { explore, type ExploreDeps, type Explored, type Shown, type Stretch } from "./explored";

type Point = NonNullable<ExploreSeries["points"]>[number];

export const getExplore = verb(
  {
    method: "GET",
    path: "/api/v1/explore",
    access: "view",
    bySite: true,
    summary: "One metric of many devices, sites or types over a stretch",
    description:
      "Up to 24 series come as lines, more as strips of means with the band they lie in and those that stand apart. Steps equal a recount, as the history " +
      "of a device does: from rollups as far as they go, and from the readings of hours that have none. Where there are many devices, steps are hours or " +
      "longer. Steps are whole: those at the ends reach beyond the range, `from` and `to` of the answer say how far, and the figures are of just these. " +
      "Retired devices are left out unless they are named or `where` speaks of them.",
    params: NO_PARAMETERS,
    query: exploreQuery,
    answer: exploreAnswer,
    status: 200,
    problems: ["not-found", "cold-storage-unavailable"],
  },
  (deps: ExploreDeps) =>
    async (ctx, { query }) =>
      toAnswer(await explore(deps, ctx, query), query.by),
);

function toAnswer(explored: Explored, by: ExploreAnswer["by"]): ExploreAnswer {
  const { metric, shape, units, matched, read, missing, bucketMs, resolution, cold, previous } = explored;
  const isStrips = shape === "strips";
  const unit = commonUnit(explored.series);
  const inBand = isStrips ? bandSeries(explored.series, unit) : [];
  const band = bandOf(inBand);
  return {
    ...toStretch(explored, isStrips ? { unit, steps: band } : null),
    ...{ metric: metric.name, kind: metric.kind, decimals: metric.shown.decimals, color: metric.shown.color },
    ...{ by, shape, bucketMs, resolution, cold },
    ...{ units: [...units], matched, read, missing: [...missing] },
    outliers: outliersOf(inBand, band),
    previous: previous && {
      ...toStretch(previous, isStrips ? { unit, steps: bandOf(bandSeries(previous.series, unit)) } : null),
      shiftMs: previous.shiftMs,
    },
  };
}

/** @param band of strips, and the unit it is in; null: they are lines. */
function toStretch(
  { from, to, bucketMs, series }: Stretch,
  band: { readonly unit: string | null; readonly steps: readonly BandStep[] } | null,
) {
  return {
    from: toInstant(from),
    to: toInstant(to),
    series: series.map(({ points, held, ...own }) => ({
      ...own,
      held: held && { before: held.before, until: held.until },
      points: band
        ? null
        : points.map(({ time, count, mean, min, max, last }): Point => [time, count, mean, min, max, last]),
      means: band ? meansOf(points, from, to, bucketMs) : null,
    })),
    band: band && {
      unit: band.unit,
      leftOut: series.filter((one) => one.unit !== band.unit).length,
      points: band.steps.map((step): [number, number, number, number, number] => {
        return [step.time, step.series, step.p10, step.median, step.p90];
      }),
    },
  };
}

/** The unit most series have. */
function commonUnit(series: readonly Shown[]): string | null {
  const counts = new Map<string | null, number>();
  for (const { unit } of series) counts.set(unit, (counts.get(unit) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), [null, 0] as [string | null, number])[0];
}

function bandSeries(series: readonly Shown[], unit: string | null): [string, Pick<StepSeries, "points">][] {
  return series.filter((one) => one.unit === unit).map(({ id, points }) => [id, { points }]);
}

function meansOf(points: Shown["points"], from: number, to: number, bucketMs: number): (number | null)[] {
  const means = new Array<number | null>(Math.round((to - from) / bucketMs)).fill(null);
  for (const { time, mean } of points) means[(time - from) / bucketMs] = shortened(mean);
  return means;
}
