import { queryOptions } from "@tanstack/react-query";
import type { RetentionAnswer, RetentionChanges } from "@/server/contracts/retention";
import type { Kept } from "@/server/domain/retention";
import { deleteJson, patchJson, readJson } from "./request";

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
