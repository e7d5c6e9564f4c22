import { KEPT } from "@/server/domain/retention";
import type { Job, JobContext } from "@/server/postgres/job";
import { isMerged, keepMinutes } from "./keep-minutes";
import { eachMonth, monthOf, type MonthOfTable, startOf } from "@/server/postgres/months";
import { dropOldMonth, oldMonths, removeOldRows } from "./partitions";
import { GRACE_MS, moveEdge, readRules } from "./retention";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const READINGS = "sample";

/** @param days for which readings and rollups are kept by event time unless somebody has set it; 0: for ever. */
export function readingJobs({ days }: { readonly days: number }): Job[] {
  return [
    {
      name: "readings-retention",
      title: "Readings retention",
      about: "Drops whole months of readings and rollups that are older than the page Retention says.",
      everyMs: HOUR,
      limitMs: HOUR,
      run: (ctx) => removeOld(ctx, days),
    },
  ];
}

/** The place where a run is: a kind, and the last device whose rows were looked through. */
interface Place {
  readonly kind: number;
  readonly device: number;
}

async function removeOld(ctx: JobContext, startDays: number): Promise<void> {
  const rules = await readRules(ctx.tx, startDays);
  let { done } = ctx.run;
  const from = (ctx.run.cursor ?? { kind: 0, device: 0 }) as Place;
  const due = rules.flatMap(({ keeps, days, changedAt }) =>
    days === null || (changedAt !== null && ctx.now - changedAt < GRACE_MS)
      ? []
      : [{ keeps, before: ctx.now - days * DAY }],
  );
  // Rows first, and in parts of their own: whoever holds a month up must not keep these.
  for (const { keeps, before } of due) {
    const kind = KEPT.indexOf(keeps);
    if (kind < from.kind) continue;
    for (let device: number | null = kind === from.kind ? from.device : 0; device !== null;) {
      const after: number = device;
      await ctx.step(async (tx) => {
        if (after === 0) await moveEdge(tx, keeps, startOf(monthOf(before)));
        const part = await removeOldRows(tx, keeps, before, after);
        done += part.removed;
        device = part.device;
        return { done, cursor: { kind, device: part.device ?? after } };
      });
    }
  }
  const minutes = rules.find(({ keeps }) => keeps === "minutes")!;
  const minutesBefore = minutes.days === null ? null : ctx.now - minutes.days * DAY;
  const months = await Promise.all(due.map(({ keeps, before }) => oldMonths(ctx.tx, keeps, before)));
  await eachMonth(months.flat(), (month) => dropOne(month));

  async function dropOne(month: MonthOfTable): Promise<void> {
    if (month.table === READINGS) {
      // Rollups outlive the readings they are of: those are to be there first. What isn't merged yet waits for the next run.
      if (!(await isMerged(ctx.tx, month.month))) return;
      if (minutesBefore === null || startOf(month.month + 1) > minutesBefore)
        await keepMinutes(ctx, month.month, () => done);
    }
    await ctx.step(async (tx) => {
      if (await dropOldMonth(tx, month)) done++;
      return { done };
    });
  }
}
