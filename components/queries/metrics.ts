import { queryOptions } from "@tanstack/react-query";
import type { MetricChanges, MetricsAnswer } from "@/server/contracts/metrics";
import { toSegment } from "@/server/domain/segment";
import { patchJson, readJson } from "./request";

/** All metrics with kind, unit and valid range. */
export const metricsQuery = () =>
  queryOptions({
    queryKey: ["metrics"],
    queryFn: ({ signal }) => readJson<MetricsAnswer>("/api/v1/metrics", signal),
    staleTime: 60_000,
    refetchInterval: 60_000,
  });

/**
 * Says what a metric means.
 * @throws RequestError with what is wrong with it, or when nobody knows whether it was saved.
 */
export async function saveUnit(name: string, changes: MetricChanges): Promise<void> {
  await patchJson(`/api/v1/metrics/${toSegment(name)}`, changes);
}
