import { stagesAnswer, stagesQuery } from "@/server/contracts/stages";
import type { StagesState } from "@/server/pipeline/stages-state";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

export const getStages = verb(
  {
    method: "GET",
    path: "/api/v1/pipeline/stages",
    access: "view",
    summary: "What each stage of the pipeline did over the last minutes",
    description:
      "Counts of the worker are written with the readings and exact. What the telemetry route and the stages' clocks " +
      "tell is written every 5 seconds, best effort: a crash costs what was not written yet.",
    params: NO_PARAMETERS,
    query: stagesQuery,
    answer: stagesAnswer,
    status: 200,
    problems: [],
  },
  ({ pipelineStages }: { readonly pipelineStages: (minutes: number) => Promise<StagesState> }) =>
    async (_ctx, { query }) => {
      const state = await pipelineStages(query.minutes);
      return { ...state, time: toInstant(state.time) };
    },
);
