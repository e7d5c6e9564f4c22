import type { Pool } from "pg";
import { findMetrics, unitsOfDevices } from "@/server/catalog/metrics";
import { metricsAnswer } from "@/server/contracts/metrics";
import type { PrismaClient } from "@/server/postgres/prisma";
import { readMetricRetention } from "@/server/readings/metric-retention";
import { NO_PARAMETERS, verb } from "../verb";
import { toMetricView } from "./view";

/** What tells of metrics whose they are, and how long they are kept. */
export interface MetricDeps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  /** DATA_OWNER. */
  readonly lineage: { readonly owner: string | null };
  /** READINGS_RETENTION_DAYS. */
  readonly retention: { readonly startDays: number };
}

export const listMetrics = verb(
  {
    method: "GET",
    path: "/api/v1/metrics",
    access: "catalog",
    bySite: true,
    summary: "All metrics that devices have, with whose they are and how long they are kept",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: metricsAnswer,
    status: 200,
    problems: [],
  },
  ({ pool, prisma, lineage, retention }: MetricDeps) =>
    async ({ sites, now }) => {
      const keptOf = await readMetricRetention(pool, retention.startDays, { sites }, now);
      const units = await unitsOfDevices(pool, sites);
      const items = await findMetrics(prisma, sites);
      return {
        items: items.map((metric) => ({
          ...toMetricView(metric),
          ...{ kept: keptOf(metric.name), units: [...(units.get(metric.name) ?? [])] },
        })),
        dataOwner: lineage.owner,
      };
    },
);
