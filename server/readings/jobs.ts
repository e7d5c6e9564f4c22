import { removedBefore } from "@/server/domain/retention";
import { ColdUnavailableError } from "@/server/ports/cold-store";
import type { Job, JobContext } from "@/server/postgres/job";
import { eachMonth, monthOf, type MonthOfTable, startOf } from "@/server/postgres/months";
import { type ColdReader, createColdReader } from "./cold/reader";
import { monthsOfReadings, READINGS, removeReadings } from "./old-readings";
import { dropOldMonth, oldMonths, removeOldRows } from "./partitions";
import { moveEdge } from "./retention";
import { seriesJob } from "./series-retention";
import { readKeptTimes, readSeriesChange } from "./series-rules";

const HOUR = 3_600_000;
/** The kinds of rollups, as a run goes through them. */
const ROLLUPS = ["minutes", "hours"] as const;

export interface ReadingJobsDeps {
  /** Days for which readings and rollups are kept by event time unless somebody has set it; 0: for ever. */
  readonly days: number;
  readonly cold?: ColdReader;
}

export function readingJobs({ days, cold = createColdReader(null) }: ReadingJobsDeps): Job[] {
  return [
    {
      name: "readings-retention",
      title: "Readings retention",
      about:
        "Removes whole months of readings and rollups that are older than anything is kept by the page Retention, from cold storage too, and texts that are older than readings are kept.",
      counts: { one: "month or row removed", many: "months and rows removed" },
      everyMs: HOUR,
      limitMs: HOUR,
      run: (ctx) => removeOld(ctx, days, cold),
    },
    seriesJob(days, cold),
  ];
}

/** What lies in rows of devices, as a run goes through it. */
const IN_ROWS = [...ROLLUPS, "texts"] as const;

/** The place where a run is: a kind of rows, and the last device whose rows were looked through. */
interface Place {
  readonly kind: number;
  readonly device: number;
}

async function removeOld(ctx: JobContext, startDays: number, cold: ColdReader): Promise<void> {
  const times = await readKeptTimes(ctx.tx, startDays, ctx.now);
  // What some series are kept longer for stays as a whole: the others are taken out of it.
  const seriesChange = await readSeriesChange(ctx.tx);
  const rules = times.rules.map(({ keeps, changedAt }) => {
    return { keeps, days: times.longest[keeps], changedAt: Math.max(changedAt ?? 0, seriesChange ?? 0) };
  });
  let { done } = ctx.run;
  /** The start of the month before which everything of a kind is to go; null: nothing is. */
  const before = Object.fromEntries(
    rules.map((rule) => {
      const time = removedBefore(rule, ctx.now);
      return [rule.keeps, time === null ? null : startOf(monthOf(time))];
    }),
  );
  // Which fields have longer times goes by their metric, and texts are of none.
  const textsBefore = removedBefore(
    times.rules.find(({ keeps }) => keeps === "raw")!,
    ctx.now,
  );
  // From the commit on nothing is taken for what is removed below.
  await ctx.step(async (tx) => {
    for (const { keeps } of rules) if (before[keeps] !== null) await moveEdge(tx, keeps, before[keeps]!);
    return { done };
  });
  await removeRows();
  let away: ColdUnavailableError | null = null;
  const months = [
    ...(before.raw === null ? [] : await monthsOfReadings(ctx.tx, before.raw!)),
    ...(
      await Promise.all(
        ROLLUPS.map((keeps) => (before[keeps] === null ? [] : oldMonths(ctx.tx, keeps, before[keeps]!))),
      )
    ).flat(),
  ];
  await eachMonth(months, async (month) => {
    if (month.table !== READINGS) return dropRollups(month);
    const keepsMinutes = before.minutes === null || startOf(month.month) >= before.minutes!;
    try {
      done = await removeReadings(ctx, { month: month.month, cold, keepsMinutes, done });
    } catch (error) {
      // Its minutes can't be made for now; other months may be.
      if (!(error instanceof ColdUnavailableError)) throw error;
      away ??= error;
    }
  });
  if (away !== null) throw away;

  function dropRollups(month: MonthOfTable): Promise<void> {
    return ctx.step(async (tx) => {
      if (await dropOldMonth(tx, month)) done++;
      return { done };
    });
  }

  /** Rows that lie in no month. In parts of their own: whoever holds a month up must not keep these. */
  async function removeRows(): Promise<void> {
    const from = (ctx.run.cursor ?? { kind: 0, device: 0 }) as Place;
    for (const [kind, keeps] of IN_ROWS.entries()) {
      const edge = keeps === "texts" ? textsBefore : before[keeps]!;
      if (edge === null || kind < from.kind) continue;
      for (let device: number | null = kind === from.kind ? from.device : 0; device !== null;) {
        const after: number = device;
        await ctx.step(async (tx) => {
          const part = await removeOldRows(tx, keeps, edge, after);
          done += part.removed;
          device = part.device;
          return { done, cursor: { kind, device: part.device ?? after } };
        });
      }
    }
  }
}
