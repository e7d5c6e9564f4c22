import { queryOptions } from "@tanstack/react-query";
import type { MetricsAnswer } from "@/server/contracts/metrics";
import { readJson } from "./request";

/** All metrics with kind, unit and valid range. */
export const metricsQuery = () =>
  queryOptions({
    queryKey: ["metrics"],
    queryFn: ({ signal }) => readJson<MetricsAnswer>("/api/v1/metrics", signal),
    staleTime: 60_000,
    refetchInterval: 60_000,
  });
