import type { Pool } from "pg";
import { findMetric } from "@/server/catalog/metrics";
import { metricStored } from "@/server/contracts/metrics";
import type { PrismaClient } from "@/server/postgres/prisma";
import { countStored } from "@/server/readings/stored";
import { noMetric } from "../devices/id";
import { NO_PARAMETERS, verb } from "../verb";
import { metricParams } from "./remove";

/** A person waits for the count before they decide. */
const PATIENCE_MS = 3000;

export const getMetricStored = verb(
  {
    method: "GET",
    path: "/api/v1/metrics/{name}/stored",
    access: "administer",
    summary: "What is stored of a metric: what deleting would remove, or merging would move",
    params: metricParams,
    query: NO_PARAMETERS,
    answer: metricStored,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, prisma }: { readonly pool: Pool; readonly prisma: PrismaClient }) =>
    async ({ sites }, { params: { name } }) => {
      const metric = await findMetric(prisma, name, sites);
      if (metric === null) throw noMetric(name);
      const counted = await countStored(pool, metric.key, PATIENCE_MS);
      return { devices: counted?.devices ?? null, readings: counted?.readings ?? null, ownUnits: metric.ownUnits };
    },
);
