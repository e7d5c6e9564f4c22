import { type Job, removeBySteps } from "@/server/postgres/job";
import {
  eachMonth,
  makeMonth,
  monthName,
  monthOf,
  readDivided,
  readMonths,
  lockMonths,
} from "@/server/postgres/months";
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
      counts: { one: "run removed", many: "runs removed" },
      everyMs: HOUR,
      limitMs: HOUR,
      run: (ctx) =>
        removeBySteps(ctx, CHUNK, (tx, limit) => removeRunsBefore(tx, new Date(ctx.now - days * DAY), limit)),
    },
    {
      name: "months-ahead",
      title: "Months ahead",
      about: "Makes the places of this month and the next in tables divided by time, before they are needed.",
      counts: { one: "month made", many: "months made" },
      everyMs: HOUR,
      limitMs: HOUR,
      async run(ctx) {
        const months = [monthOf(ctx.now), monthOf(ctx.now) + 1];
        const tables = await readDivided(ctx.tx);
        const there = new Set((await readMonths(ctx.tx, tables)).map(monthName));
        const missing = tables.flatMap((table) => months.map((month) => ({ table, month })));
        let { done } = ctx.run;
        await eachMonth(
          missing.filter((month) => !there.has(monthName(month))),
          (month) =>
            ctx.step(async (tx) => {
              await lockMonths(tx);
              if (await makeMonth(tx, month)) done++;
              return { done };
            }),
        );
      },
    },
  ];
}
