import { queryOptions, useQuery } from "@tanstack/react-query";
import type { Job } from "@/server/contracts/jobs";
import type {
  MetricChanges,
  MetricEffects,
  MetricsAnswer,
  MetricStored,
  MetricUseAnswer,
} from "@/server/contracts/metrics";
import { toSegment } from "@/server/domain/segment";
import { deleteJson, patchJson, postJson, readJson } from "./request";

const addressOf = (name: string) => `/api/v1/metrics/${toSegment(name)}`;

/** All metrics with kind, unit and valid range. */
export const metricsQuery = () =>
  queryOptions({
    queryKey: ["metrics"],
    queryFn: ({ signal }) => readJson<MetricsAnswer>("/api/v1/metrics", signal),
    staleTime: 60_000,
    refetchInterval: 60_000,
  });

/** How a metric is drawn and written, as the catalog says: the place of its color, and its decimals. Null: nobody said, or it isn't known yet. */
export function useMetricLook(metric: string | null): {
  readonly color: number | null;
  readonly decimals: number | null;
} {
  const { data } = useQuery(metricsQuery());
  const found = data?.items.find(
    ({ name, aliases }) => name === metric || (metric !== null && aliases.includes(metric)),
  );
  return { color: found?.color ?? null, decimals: found?.decimals ?? null };
}

/** How many devices have each metric, and when it came last. */
export const metricUseQuery = () =>
  queryOptions({
    queryKey: ["metric use"],
    queryFn: ({ signal }) => readJson<MetricUseAnswer>("/api/v1/metric-use", signal),
    refetchInterval: 15_000,
  });

/** What is stored of a metric; counted anew for each decision. */
export const metricStoredQuery = (name: string) =>
  queryOptions({
    queryKey: ["metric stored", name],
    queryFn: ({ signal }) => readJson<MetricStored>(`${addressOf(name)}/stored`, signal),
    gcTime: 0,
  });

/** What a change of a metric would do; asked anew for each decision. */
export const metricEffectsQuery = (name: string, change: { to: string } | { into: string } | { kind: string }) =>
  queryOptions({
    queryKey: ["metric effects", name, change],
    queryFn: ({ signal }) =>
      readJson<MetricEffects>(`${addressOf(name)}/effects?${new URLSearchParams(change)}`, signal),
    gcTime: 0,
  });

/** Gives a metric another name. @throws RequestError: 404 when it is gone, 409 when the name is taken or being worked on. */
export function renameMetric(name: string, to: string): Promise<Job> {
  return postJson(`${addressOf(name)}/rename`, { to });
}

/**
 * Says what a metric means.
 * @throws RequestError with what is wrong with it, or when nobody knows whether it was saved.
 */
export async function saveMetric(name: string, changes: MetricChanges): Promise<void> {
  await patchJson(addressOf(name), changes);
}

/** Deletes a metric with its readings. @throws RequestError: 404 when it is gone already, 409 while an earlier one of its name is being removed. */
export function deleteMetric(name: string): Promise<Job> {
  return deleteJson(addressOf(name));
}

/** Gives a metric's readings to another one. @throws RequestError: 404 without one of both, 409 when their units differ or one is being removed. */
export function mergeMetric(name: string, into: string): Promise<Job> {
  return postJson(`${addressOf(name)}/merge`, { into });
}
