import { REMOVALS_JOB } from "@/server/catalog/jobs";
import { findRemovals } from "@/server/catalog/removals";
import { removalsAnswer } from "@/server/contracts/removals";
import { readJobs } from "@/server/jobs/read";
import { toInstant } from "../instant";
import { toJob } from "../jobs/view";
import { NO_PARAMETERS, verb } from "../verb";

export const listRemovals = verb(
  {
    method: "GET",
    path: "/api/v1/removals",
    access: "administer",
    summary: "Metrics and devices that are being removed",
    description:
      "They are out of the catalog; a job removes their readings, or moves them to the metric they were merged into.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: removalsAnswer,
    status: 200,
    problems: [],
  },
  () => async (ctx) => {
    const [removals, [job]] = await Promise.all([findRemovals(ctx.tx), readJobs(ctx.tx, REMOVALS_JOB)]);
    return {
      items: removals.map(({ createdAt, ...removal }) => ({ ...removal, since: toInstant(createdAt) })),
      job: job ? toJob(job, ctx.now) : null,
    };
  },
);
