import { queryOptions, useQuery } from "@tanstack/react-query";
import type { HealthAnswer } from "@/server/contracts/health";
import { applyToHealth } from "../live/apply";
import type { LiveClient } from "../live/client";
import { useLive } from "../live/provider";
import { useSeesAll } from "./access";
import { readJson } from "./request";

/** The key of the verdict and all probes. */
export const HEALTH = ["health"];

/** The verdict and all probes; the health room keeps them up to date. */
export const healthQuery = (live: LiveClient) =>
  queryOptions({
    queryKey: HEALTH,
    queryFn: ({ signal }) =>
      live.snapshot("health", () => readJson<HealthAnswer>("/api/v1/health", signal), applyToHealth),
  });

/** Health as the room keeps it. It is of all sites: for who sees some alone it isn't asked for, and stays undefined. */
export function useHealth() {
  return useQuery({ ...healthQuery(useLive()), enabled: useSeesAll() === true });
}
