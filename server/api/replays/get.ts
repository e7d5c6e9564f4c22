import { z } from "zod";
import { replayRun } from "@/server/contracts/replays";
import type { PipelineState } from "@/server/domain/pipeline-state";
import { RUN_PATTERN } from "@/server/domain/replay-run";
import { readReplayRun } from "@/server/pipeline/replay-runs";
import { NO_PARAMETERS, verb } from "../verb";

export const getReplay = verb(
  {
    method: "GET",
    path: "/api/v1/replays/{run}",
    access: "send",
    // Whoever sent a run knows its id, and what it counts is of no site.
    bySite: true,
    summary: "What the pipeline has made of a replay so far",
    description:
      "Counts the messages that were sent with ?run= to the telemetry route, in the transactions that store them. All are 0 until the first is handled. Kept for 7 days.",
    params: z.object({ run: z.string().regex(RUN_PATTERN) }),
    query: NO_PARAMETERS,
    answer: replayRun,
    status: 200,
    problems: [],
  },
  ({ pipelineState }: { readonly pipelineState: () => Promise<PipelineState> }) =>
    async ({ tx, sites }, { params: { run } }) => {
      const [counts, { workers }] = await Promise.all([readReplayRun(tx, run), pipelineState()]);
      // An example may be of any device: it is for those who may see all of them.
      const refused = counts.refused.map((one) => ({ ...one, example: sites === "all" ? one.example : null }));
      return { ...counts, refused, workers };
    },
);
