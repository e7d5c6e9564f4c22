import type { Job } from "@/server/postgres/job";
import { eachMonth } from "@/server/postgres/months";
import { dropOldMonth, oldMonths, removeOldRows } from "./partitions";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** @param days readings are kept by event time; 0 keeps all. */
export function readingJobs({ days }: { readonly days: number }): Job[] {
  if (days === 0) return [];
  return [
    {
      name: "readings-retention",
      title: "Readings retention",
      about: `Drops whole months of readings and rollups older than ${days} days of event time.`,
      everyMs: HOUR,
      limitMs: HOUR,
      async run(ctx) {
        const before = ctx.now - days * DAY;
        let { done } = ctx.run;
        // Rows first, and in parts of their own: whoever holds a month up must not keep these.
        for (let device: number | null = typeof ctx.run.cursor === "number" ? ctx.run.cursor : 0; device !== null;) {
          const after: number = device;
          await ctx.step(async (tx) => {
            const part = await removeOldRows(tx, before, after);
            done += part.removed;
            device = part.device;
            return { done, cursor: part.device ?? after };
          });
        }
        await eachMonth(await oldMonths(ctx.tx, before), (month) =>
          ctx.step(async (tx) => {
            if (await dropOldMonth(tx, month)) done++;
            return { done };
          }),
        );
      },
    },
  ];
}
