import type { Pool } from "pg";
import { sparklinesAnswer, sparklinesQuery } from "@/server/contracts/fleet";
import { findMetric } from "@/server/catalog/metrics";
import type { PrismaClient } from "@/server/postgres/prisma";
import { readSparklines } from "@/server/readings/sparklines";
import { bucketStart, ROLLUP_WIDTHS } from "@/server/domain/rollup";
import { toInstant } from "../instant";
import { noMetric } from "../devices/id";
import { shortened } from "../shortened";
import { NO_PARAMETERS, verb } from "../verb";

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
}

export const listSparklines = verb(
  {
    method: "GET",
    path: "/api/v1/fleet/sparklines",
    access: "view",
    bySite: true,
    summary: "The last minutes of one metric of several devices",
    params: NO_PARAMETERS,
    query: sparklinesQuery,
    answer: sparklinesAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, prisma }: Deps) =>
    async (ctx, { query: { ids, metric: name, minutes } }) => {
      const metric = await findMetric(prisma, name, ctx.sites);
      if (metric === null) throw noMetric(name);
      const from = bucketStart(ctx.now, ROLLUP_WIDTHS.minute) - (minutes - 1) * ROLLUP_WIDTHS.minute;
      const series = await readSparklines(pool, { sites: ctx.sites, devices: ids, metric: metric.key, from, minutes });
      return {
        metric: name,
        unit: metric.unit,
        from: toInstant(from),
        stepMs: ROLLUP_WIDTHS.minute,
        // In the order asked for, which the database doesn't keep.
        series: Object.fromEntries(
          ids.flatMap((device) => {
            const values = series.get(device);
            return values ? [[device, values.map((value) => (value === null ? null : shortened(value)))]] : [];
          }),
        ),
      };
    },
);
