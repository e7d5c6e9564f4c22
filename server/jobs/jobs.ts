import { type Job, removeBySteps } from "@/server/postgres/job";
import { removeRunsBefore } from "./runs";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CHUNK = 1000;

/** @param days for which runs are kept after they ended. */
export function jobJobs({ days }: { readonly days: number }): Job[] {
  return [
    {
      name: "job-retention",
      title: "Job retention",
      about: `Removes runs of jobs ${days} days after they ended; the latest of each job stays.`,
      everyMs: HOUR,
      limitMs: HOUR,
      run: (ctx) =>
        removeBySteps(ctx, CHUNK, (tx, limit) => removeRunsBefore(tx, new Date(ctx.now - days * DAY), limit)),
    },
  ];
}
