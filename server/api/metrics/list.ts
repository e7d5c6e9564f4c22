import { metricsAnswer } from "@/server/contracts/devices";
import { findMetrics } from "@/server/catalog/devices";
import type { PrismaClient } from "@/server/postgres/prisma";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

export const listMetrics = verb(
  {
    method: "GET",
    path: "/api/v1/metrics",
    summary: "All metrics",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: metricsAnswer,
    status: 200,
    problems: [],
  },
  ({ prisma }: { readonly prisma: PrismaClient }) =>
    async () => ({
      items: (await findMetrics(prisma)).map(({ name, kind, unit, min, max, firstSeen }) => ({
        name,
        kind,
        unit,
        min,
        max,
        firstSeen: toInstant(firstSeen),
      })),
    }),
);
