import { queryOptions } from "@tanstack/react-query";
import type {
  RetentionAnswer,
  RetentionChanges,
  RetentionEstimate,
  RetentionRuleBody,
} from "@/server/contracts/retention";
import type { Kept } from "@/server/domain/retention";
import { deleteJson, patchJson, postJson, queryString, readJson } from "./request";

const ROOT = "/api/v1/retention";

/** The first part of the keys of what is kept. */
export const RETENTION = "retention";

/** How long readings are kept, and how much there is. */
export const retentionQuery = () =>
  queryOptions({
    queryKey: [RETENTION],
    queryFn: ({ signal }) => readJson<RetentionAnswer>(ROOT, signal),
    refetchInterval: 15_000,
  });

/** @throws RequestError: 400 where a kind would be kept for less than what is finer. */
export function saveRetention(changes: RetentionChanges): Promise<RetentionAnswer> {
  return patchJson(ROOT, changes);
}

/** Lets a kind go by the configuration again. @throws RequestError: 404 when it does. */
export function resetRetention(keeps: Kept): Promise<RetentionAnswer> {
  return deleteJson(`${ROOT}/${keeps}`);
}

/** The address that tells what a rule would do. */
export function estimateAddress({ selects, pattern, ...days }: RetentionRuleBody): string {
  const kept = Object.fromEntries(Object.entries(days).filter(([, value]) => value !== null)) as Record<string, number>;
  return `${ROOT}/estimate${queryString({ selects, pattern, ...kept })}`;
}

/** What a rule would do. @param address as {@link estimateAddress} has it; null: nothing is asked. */
export const estimateQuery = (address: string | null) =>
  queryOptions({
    queryKey: [RETENTION, address],
    queryFn: ({ signal }) => readJson<RetentionEstimate>(address!, signal),
    enabled: address !== null,
    staleTime: 10_000,
  });

/** Sets a rule, or changes that of the same selector and pattern. @throws RequestError: 400 where a kind would be kept for less than what is finer. */
export function saveRule(rule: RetentionRuleBody): Promise<RetentionAnswer> {
  return postJson(`${ROOT}/rules`, rule);
}

/** @throws RequestError: 404 when it is there no more. */
export function removeRule(id: number): Promise<RetentionAnswer> {
  return deleteJson(`${ROOT}/rules/${id}`);
}
