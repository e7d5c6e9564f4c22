import type { Job } from "@/server/postgres/job";
import { dropOldestMonth, removeOldRows } from "./partitions";

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
        for (let dropped: readonly string[] = ["any"]; dropped.length > 0;) {
          await ctx.step(async (tx) => {
            dropped = await dropOldestMonth(tx, before);
            return { done: done + dropped.length };
          });
          done += dropped.length;
        }
        // Parts of their own: a month's drop holds up readers, so it must never wait for these.
        for (let device: number | null = typeof ctx.run.cursor === "number" ? ctx.run.cursor : 0; device !== null;) {
          const after: number = device;
          await ctx.step(async (tx) => {
            const part = await removeOldRows(tx, before, after);
            done += part.removed;
            device = part.device;
            return { done, cursor: part.device ?? after };
          });
        }
      },
    },
  ];
}
