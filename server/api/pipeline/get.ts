import { pipelineAnswer, type PipelineAnswer } from "@/server/contracts/pipeline";
import type { PipelineState } from "@/server/domain/pipeline-state";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";
import { toSkippedView, toStoppingView } from "./batch-view";

export const getPipeline = verb(
  {
    method: "GET",
    path: "/api/v1/pipeline",
    access: "view",
    summary: "The pipeline's totals, position, lag and rates",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: pipelineAnswer,
    status: 200,
    problems: [],
  },
  ({ pipelineState }: { readonly pipelineState: () => Promise<PipelineState> }) =>
    async () =>
      toPipelineAnswer(await pipelineState()),
);

/** The state as answered, by this route and on the live channel. */
export function toPipelineAnswer(state: PipelineState): PipelineAnswer {
  return {
    ...state,
    time: toInstant(state.time),
    partitions: state.partitions.map(({ unreadable, ...partition }) => {
      return { ...partition, unreadable: unreadable && toStoppingView(unreadable) };
    }),
    skippedBatches: state.skippedBatches.map(toSkippedView),
  };
}
