import type { Pool } from "pg";
import { readingsAnswer, readingsQuery } from "@/server/contracts/devices";
import { findDevice, findMetric } from "@/server/database/devices";
import type { PrismaClient } from "@/server/database/prisma";
import { readSeries } from "@/server/database/reading-queries";
import { parseEventTime } from "@/server/domain/time";
import { toInstant } from "../instant";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { verb } from "../verb";
import { deviceParams, noDevice } from "./id";

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly now: () => number;
}

const HOUR_MS = 3_600_000;

export const listReadings = verb(
  {
    method: "GET",
    path: "/api/v1/devices/{id}/readings",
    summary: "The history of one metric of one device",
    description:
      "auto answers with the readings themselves when they fit into maxPoints, else from minute or hour rollups whose neighbours are merged " +
      "until they fit; minimum, maximum and mean are exact for each point. Points of rollups are whole buckets: those at the ends reach beyond " +
      "the range, and `from` and `to` of the answer say how far. raw with more than maxPoints readings answers buckets of them (bucketMs > 0).",
    params: deviceParams,
    query: readingsQuery,
    answer: readingsAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, prisma, now }: Deps) =>
    async ({ params: { id }, query }) => {
      const to = query.to === undefined ? now() : moment("to", query.to);
      const from = query.from === undefined ? to - HOUR_MS : moment("from", query.from);
      if (from >= to) throw invalid([{ at: "from", message: "must be before `to`" }]);
      const [device, metric] = await Promise.all([findDevice(prisma, id), findMetric(prisma, query.metric)]);
      if (device === null) throw noDevice(id);
      if (metric === null) throw new ProblemError("not-found", `There is no metric ${JSON.stringify(query.metric)}.`);

      const { resolution, maxPoints } = query;
      const series = await readSeries(pool, {
        device: device.key,
        metric: metric.key,
        from,
        to,
        resolution,
        maxPoints,
      });
      return {
        device: device.name,
        metric: metric.name,
        unit: metric.unit,
        kind: metric.kind,
        from: toInstant(series.from),
        to: toInstant(series.to),
        resolution: series.resolution,
        bucketMs: series.bucketMs,
        points: [...series.points],
      };
    },
);

/** Event times begin in 1970, and so does a range. */
function moment(at: string, text: string): number {
  const time = parseEventTime(text);
  if (time === null) throw invalid([{ at, message: "must be from 1970 to 9999" }]);
  return time;
}
