import { queryOptions } from "@tanstack/react-query";
import type { PipelineAnswer, SkipBody, SkippedBatchView, StoppingBatchView } from "@/server/contracts/pipeline";
import { applyToPipeline } from "../live/apply";
import type { LiveClient } from "../live/client";
import { postJson, readJson } from "./request";

/** The first part of the key of the pipeline's state. */
export const PIPELINE = "pipeline";

/** The pipeline as a whole; the overview room keeps it up to date. */
export const pipelineQuery = (live: LiveClient) =>
  queryOptions({
    queryKey: [PIPELINE],
    queryFn: ({ signal }) =>
      live.snapshot("overview", () => readJson<PipelineAnswer>("/api/v1/pipeline", signal), applyToPipeline),
  });

/** Skips the batch that stops a partition, if it is still the one that is shown. */
export function skipBatch({ partition, from, to }: StoppingBatchView): Promise<SkippedBatchView> {
  return postJson<SkippedBatchView>(`/api/v1/pipeline/partitions/${partition}/skip`, { from, to } satisfies SkipBody);
}
