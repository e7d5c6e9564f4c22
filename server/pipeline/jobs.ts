import { type Job, removeBySteps } from "@/server/postgres/job";
import { removeRatesBefore } from "./rates";
import { removeReplayRunsBefore } from "./replay-runs";
import { removeStageRatesBefore } from "./stage-rates";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const CHUNK = 5000;

/** Lists the pipeline's jobs: they keep the charts' data for a day, and the outcome of replays for a week. */
export function pipelineJobs(): Job[] {
  const limits = { everyMs: 10 * MINUTE, limitMs: 10 * MINUTE };
  return [
    {
      ...{ name: "rate-retention", title: "Rate retention", ...limits },
      counts: { one: "rate removed", many: "rates removed" },
      about: "Removes the pipeline's rates after a day; its totals stay.",
      run: (ctx) => removeBySteps(ctx, CHUNK, (tx, limit) => removeRatesBefore(tx, ctx.now - DAY, limit)),
    },
    {
      ...{ name: "stage-retention", title: "Stage retention", ...limits },
      counts: { one: "timing removed", many: "timings removed" },
      about: "Removes how long the pipeline's stages took after a day.",
      run: (ctx) => removeBySteps(ctx, CHUNK, (tx, limit) => removeStageRatesBefore(tx, ctx.now - DAY, limit)),
    },
    {
      ...{ name: "replay-retention", title: "Replay retention", ...limits, everyMs: 60 * MINUTE },
      counts: { one: "replay removed", many: "replays removed" },
      about: "Removes the counts of a replay a week after its last message.",
      run: (ctx) => removeBySteps(ctx, CHUNK, (tx, limit) => removeReplayRunsBefore(tx, ctx.now - 7 * DAY, limit)),
    },
  ];
}
