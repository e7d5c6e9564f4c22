import type { Pool } from "pg";
import { readingsAnswer, readingsQuery } from "@/server/contracts/devices";
import { findDevice } from "@/server/catalog/devices";
import { findMetric, unitAt } from "@/server/catalog/metrics";
import type { PrismaClient } from "@/server/postgres/prisma";
import type { ColdReader } from "@/server/readings/cold/reader";
import { readSeries } from "@/server/readings/reading-queries";
import { toInstant, toInstantOrNull } from "../instant";
import { verb } from "../verb";
import { deviceParams, noDevice, noMetric } from "./id";
import { rangeAsked } from "./range";

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly cold: ColdReader;
}

export const listReadings = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}/readings",
    access: "view",
    bySite: true,
    summary: "The history of one metric of one device",
    description:
      "auto answers with the readings themselves when they fit into maxPoints, else in buckets: of the readings while these are few, else of " +
      "minute or hour rollups whose neighbours are merged until they fit. raw keeps to the readings for longer, at most 100,000 of them and " +
      "buckets below a minute; beyond, it too answers from rollups. Minimum, maximum and mean are exact for each point either way; resolution " +
      "says what the points were made from. Points of rollups are whole buckets: those at the ends reach beyond the range, and `from` and `to` " +
      "of the answer say how far. latest and lastSeen say what is counted already when readings come in by the live channel meanwhile.",
    params: deviceParams,
    query: readingsQuery,
    answer: readingsAnswer,
    status: 200,
    problems: ["not-found", "cold-storage-unavailable"],
  },
  ({ pool, prisma, cold }: Deps) =>
    async (ctx, { params: { id }, query }) => {
      const { from, to } = rangeAsked(query, ctx.now);
      const [device, metric] = await Promise.all([
        findDevice(prisma, id, ctx.sites),
        findMetric(prisma, query.metric, ctx.sites),
      ]);
      if (device === null) throw noDevice(id);
      if (metric === null) throw noMetric(query.metric);

      const { resolution, maxPoints } = query;
      const asked = { sites: ctx.sites, device: device.key, metric: metric.key, from, to, resolution, maxPoints };
      const series = await readSeries(pool, asked, cold);
      return {
        device: device.name,
        metric: metric.name,
        unit: unitAt(device, metric),
        kind: metric.kind,
        from: toInstant(series.from),
        to: toInstant(series.to),
        resolution: series.resolution,
        bucketMs: series.bucketMs,
        latest: series.latest,
        before: series.before,
        cold: series.cold,
        lastSeen: toInstantOrNull(series.lastSeen),
        points: [...series.points],
      };
    },
);
