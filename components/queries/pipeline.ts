import { queryOptions } from "@tanstack/react-query";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { applyToPipeline } from "../live/apply";
import type { LiveClient } from "../live/client";
import { readJson } from "./request";

/** The pipeline as a whole; the overview room keeps it up to date. */
export const pipelineQuery = (live: LiveClient) =>
  queryOptions({
    queryKey: ["pipeline"],
    queryFn: ({ signal }) =>
      live.snapshot("overview", () => readJson<PipelineAnswer>("/api/v1/pipeline", signal), applyToPipeline),
    refetchInterval: 15_000,
  });
