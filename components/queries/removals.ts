import { queryOptions } from "@tanstack/react-query";
import type { RemovalsAnswer } from "@/server/contracts/removals";
import { readJson } from "./request";

/** The first part of the key of what is being removed. */
export const REMOVALS = "removals";

/** Metrics and devices that are being removed; followed closely while there are any. For those who may remove. */
export const removalsQuery = (isAllowed: boolean) =>
  queryOptions({
    queryKey: [REMOVALS],
    queryFn: ({ signal }) => readJson<RemovalsAnswer>("/api/v1/removals", signal),
    enabled: isAllowed,
    refetchInterval: ({ state }) => (state.data && state.data.items.length > 0 ? 1000 : 15_000),
  });
