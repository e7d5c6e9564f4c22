import type { PoolClient } from "pg";
import { type Job, type JobContext, removeBySteps } from "@/server/postgres/job";
import { removeSome } from "@/server/postgres/remove-some";
import { type CountReceived, DAY_MS, scoreDay } from "./scores";

const MINUTE = 60_000;
/** Devices scored in one transaction. */
const TOGETHER = 200;
/** Flags, counts and scores are kept for as long. */
const KEPT_DAYS = 400;
const CHUNK = 5000;

/** The place where a run is: days before `now`'s, and the last device that was scored. */
interface Place {
  readonly back: number;
  readonly device: number;
}

/** @param countReceived by series */
export function qualityJobs(countReceived: CountReceived): Job[] {
  return [
    {
      name: "quality-scores",
      title: "Quality scores",
      about: "Scores the readings of yesterday and today, by series: complete, valid, in time, plausible, once.",
      counts: { one: "series scored", many: "series scored" },
      everyMs: 5 * MINUTE,
      limitMs: 60 * MINUTE,
      givesWay: true,
      run: (ctx) => scoreDays(ctx, countReceived),
    },
    {
      name: "quality-retention",
      title: "Quality retention",
      about: `Removes flags, counts and scores of readings that are older than ${KEPT_DAYS} days, and those of deleted metrics.`,
      counts: { one: "row removed", many: "rows removed" },
      everyMs: 60 * MINUTE,
      limitMs: 60 * MINUTE,
      async run(ctx) {
        const before = ctx.now - KEPT_DAYS * DAY_MS;
        for (const table of ["quality_count", "quality_day"])
          await removeBySteps(ctx, CHUNK, (tx, limit) => removeSome(tx, table, before, limit));
        await removeBySteps(ctx, CHUNK, (tx, limit) => removeFlags(tx, before, limit));
      },
    },
  ];
}

/** Yesterday first: what goes on today is due from the day's begin. */
async function scoreDays(ctx: JobContext, countReceived: CountReceived): Promise<void> {
  const today = ctx.now - (ctx.now % DAY_MS);
  let { done } = ctx.run;
  let place = (ctx.run.cursor as Place | null) ?? { back: 1, device: 0 };
  while (place.back >= 0) {
    ctx.signal.throwIfAborted();
    const { back, device } = place;
    const { rows } = await ctx.tx.query<{ id: number }>(
      `SELECT id FROM device WHERE id > $1 AND last_event_time >= $2 ORDER BY id LIMIT ${TOGETHER}`,
      [device, new Date(today - (back + 1) * DAY_MS)],
    );
    const ids = rows.map(({ id }) => id);
    place = ids.length < TOGETHER ? { back: back - 1, device: 0 } : { back, device: ids.at(-1)! };
    await ctx.step(async (tx) => {
      done += await scoreDay(tx, countReceived, ids, today - back * DAY_MS, ctx.now);
      if (place.back < 0)
        await tx.query(
          `INSERT INTO quality_checked (scored_at) VALUES ($1) ON CONFLICT (only_row) DO UPDATE SET scored_at = excluded.scored_at`,
          [new Date(ctx.now)],
        );
      return { done, cursor: place };
    });
  }
}

async function removeFlags(tx: PoolClient, before: number, limit: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM quality_flag WHERE ctid = ANY (ARRAY (SELECT f.ctid FROM quality_flag f WHERE f.to_time < $1
       OR (f.metric_id <> 0 AND NOT EXISTS (SELECT FROM metric m WHERE m.id = f.metric_id)) LIMIT $2))`,
    [new Date(before), limit],
  );
  return rowCount ?? 0;
}
