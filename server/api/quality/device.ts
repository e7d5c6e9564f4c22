import type { Pool } from "pg";
import { deviceQualityAnswer, deviceQualityQuery } from "@/server/contracts/quality";
import { findDevice } from "@/server/catalog/devices";
import type { PrismaClient } from "@/server/postgres/prisma";
import { readCounts, readDeviceScores, readFlags, readLearned } from "@/server/quality/device-quality";
import { deviceParams, noDevice } from "../devices/id";
import { rangeAsked } from "../devices/range";
import { toInstant } from "../instant";
import { verb } from "../verb";
import { dateOf } from "./list";

export const getDeviceQuality = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}/quality",
    access: "view",
    bySite: true,
    summary: "What is flagged of a device's readings, and how good its series are",
    params: deviceParams,
    query: deviceQualityQuery,
    answer: deviceQualityAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, prisma }: { readonly pool: Pool; readonly prisma: PrismaClient }) =>
    async (ctx, { params: { id }, query }) => {
      const { from, to } = rangeAsked(query, ctx.now);
      const device = await findDevice(prisma, id, ctx.sites);
      if (device === null) throw noDevice(id);
      const { flags, more } = await readFlags(pool, device.key, from, to);
      const { day, series } = await readDeviceScores(pool, device.key);
      const learned = await readLearned(pool, device.key);
      return {
        device: device.name,
        from: toInstant(from),
        to: toInstant(to),
        flags: flags.map((flag) => ({ ...flag, from: toInstant(flag.from), to: toInstant(flag.to) })),
        more,
        counts: await readCounts(pool, device.key, from, to),
        day: day === null ? null : dateOf(day),
        series: series.map(({ metricId, day: _, ...one }) => ({ ...one, usual: learned.get(metricId) ?? null })),
      };
    },
);
