import { findMetrics } from "@/server/catalog/metrics";
import { metricsAnswer } from "@/server/contracts/metrics";
import type { PrismaClient } from "@/server/postgres/prisma";
import { NO_PARAMETERS, verb } from "../verb";
import { toMetricView } from "./view";

export const listMetrics = verb(
  {
    method: "GET",
    path: "/api/v1/metrics",
    access: "catalog",
    bySite: true,
    summary: "All metrics that devices have",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: metricsAnswer,
    status: 200,
    problems: [],
  },
  ({ prisma }: { readonly prisma: PrismaClient }) =>
    async ({ sites }) => ({ items: (await findMetrics(prisma, sites)).map(toMetricView) }),
);
