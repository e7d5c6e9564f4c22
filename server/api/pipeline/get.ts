import { pipelineAnswer, type PipelineAnswer } from "@/server/contracts/pipeline";
import type { PipelineState } from "@/server/domain/pipeline-state";
import { sitesOf } from "@/server/domain/access";
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
    async ({ caller }) =>
      toPipelineAnswer(await pipelineState(), sitesOf(caller, "administer") === "all"),
);

/**
 * The state as answered, by this route and on the live channel. @param details whether workers are told by the names of their machines; left
 * out, they have numbers, which last as long as none comes or goes.
 */
export function toPipelineAnswer(state: PipelineState, details: boolean): PipelineAnswer {
  const workers = [...new Set(state.partitions.flatMap(({ owner }) => owner ?? []))].sort();
  const named = (owner: string | null) => (owner === null || details ? owner : `worker ${workers.indexOf(owner) + 1}`);
  return {
    ...state,
    time: toInstant(state.time),
    partitions: state.partitions.map(({ unreadable, waiting: _waiting, ...partition }) => {
      return { ...partition, owner: named(partition.owner), unreadable: unreadable && toStoppingView(unreadable) };
    }),
    skippedBatches: state.skippedBatches.map(toSkippedView),
  };
}
