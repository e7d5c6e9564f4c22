import { queryOptions } from "@tanstack/react-query";
import type { HealthAnswer } from "@/server/contracts/health";
import { applyToHealth } from "../live/apply";
import type { LiveClient } from "../live/client";
import { readJson } from "./request";

/** The verdict and all probes; the health room keeps them up to date. */
export const healthQuery = (live: LiveClient) =>
  queryOptions({
    queryKey: ["health"],
    queryFn: ({ signal }) =>
      live.snapshot("health", () => readJson<HealthAnswer>("/api/v1/health", signal), applyToHealth),
  });
