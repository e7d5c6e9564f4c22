import type { Pool } from "pg";
import { findDevice } from "@/server/catalog/devices";
import { findMetric } from "@/server/catalog/metrics";
import { deviceOddnessAnswer, deviceOddnessQuery } from "@/server/contracts/odd";
import { readBand } from "@/server/oddness/band";
import type { PrismaClient } from "@/server/postgres/prisma";
import { readDeviceSteps } from "@/server/readings/steps";
import { deviceParams, noDevice, noMetric } from "../devices/id";
import { rangeAsked } from "../devices/range";
import { toInstant } from "../instant";
import { invalid } from "../parse";
import { verb } from "../verb";

const MOST_MS = 31 * 86_400_000;

export const getDeviceOddness = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}/oddness",
    access: "view",
    bySite: true,
    summary: "What was usual of a device's series at each step, and how odd it was",
    params: deviceParams,
    query: deviceOddnessQuery,
    answer: deviceOddnessAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, prisma }: { readonly pool: Pool; readonly prisma: PrismaClient }) =>
    async (ctx, { params: { id }, query }) => {
      const { from, to } = rangeAsked(query, ctx.now);
      if (to - from > MOST_MS) throw invalid([{ at: "from", message: "must be 31 days before `to` at most" }]);
      const device = await findDevice(prisma, id, ctx.sites);
      if (device === null) throw noDevice(id);
      const metric = await findMetric(prisma, query.metric, ctx.sites);
      if (metric === null) throw noMetric(query.metric);
      const points = await readBand(pool, readDeviceSteps, { device: device.key, metric: metric.key, from, to });
      return {
        ...{ device: device.name, metric: metric.name, from: toInstant(from), to: toInstant(to) },
        points: points.map((point) => ({ ...point, time: toInstant(point.time) })),
      };
    },
);
