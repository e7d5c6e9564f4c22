import type { Pool } from "pg";
import { findDevice } from "@/server/catalog/devices";
import { metricsOfKeys, unitAt } from "@/server/catalog/metrics";
import { type StripsAnswer, stripsAnswer, stripsQuery } from "@/server/contracts/devices";
import type { PrismaClient } from "@/server/postgres/prisma";
import type { ColdReader } from "@/server/readings/cold/reader";
import { readStrips } from "@/server/readings/strips";
import { toInstant, toInstantOrNull } from "../instant";
import { verb } from "../verb";
import { deviceParams, noDevice } from "./id";
import { rangeAsked } from "./range";

type Row = StripsAnswer["strips"][number]["points"][number];
type TextRow = StripsAnswer["texts"][number]["runs"][number];

const NO_POINTS = { points: [], latest: null } as const;

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly cold: ColdReader;
}

export const listStrips = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}/strips",
    access: "view",
    bySite: true,
    summary: "All metrics and texts of one device over a stretch, in few points",
    description:
      "Each metric with readings in the stretch, in buckets of one width: of the rollups, and of the readings where these are few or not " +
      "rolled up yet; and each flag that has none in it, but one before. When cold storage is needed and can't be reached, hour rollups take its " +
      "place. Where there is no reading there is no point. Fields of words come as runs: from the first to the last of messages one after the " +
      "other that said the same.",
    params: deviceParams,
    query: stripsQuery,
    answer: stripsAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, prisma, cold }: Deps) =>
    async (ctx, { params: { id }, query }) => {
      const { from, to } = rangeAsked(query, ctx.now);
      const device = await findDevice(prisma, id, ctx.sites);
      if (device === null) throw noDevice(id);
      const asked = { sites: ctx.sites, device: device.key, from, to, maxPoints: query.maxPoints };
      const strips = await readStrips(pool, asked, cold);
      const metrics = await metricsOfKeys(prisma, [...new Set([...strips.points.keys(), ...strips.before.keys()])]);
      return {
        device: device.name,
        from: toInstant(strips.from),
        to: toInstant(strips.to),
        bucketMs: strips.bucketMs,
        lastSeen: toInstantOrNull(strips.lastSeen),
        strips: metrics.flatMap((metric) => {
          const { points, latest } = strips.points.get(metric.key) ?? NO_POINTS;
          const before = strips.before.get(metric.key) ?? null;
          // A flag that said nothing is as it was; of a number nobody knows.
          if (points.length === 0 && (before === null || metric.kind === "number")) return [];
          const rows = points.map(
            ({ time, count, mean, min, max, last }) => [time, count, mean, min, max, last] as Row,
          );
          return [
            { metric: metric.name, unit: unitAt(device, metric), kind: metric.kind, latest, before, points: rows },
          ];
        }),
        texts: strips.texts.map(({ field, runs, more }) => {
          return { field, more, runs: runs.map(({ from: first, to: last, value }) => [first, last, value] as TextRow) };
        }),
      };
    },
);
