import type { Job } from "@/server/postgres/job";

const DAY = 24 * 3_600_000;
const KEPT_DAYS = 400;
/** Most events kept: a fleet whose devices fall silent all the time can't fill the disk. Notes stay. */
const MOST = 1_000_000;
const LAG_DAYS = 90;
const PART = 2000;

/** Removes what happened long ago. */
export function eventJobs(): Job[] {
  return [
    {
      name: "event-retention",
      title: "Event retention",
      about: `Removes events of more than ${KEPT_DAYS} days ago, the oldest beyond ${MOST} of them, and the lag of minutes of more than ${LAG_DAYS} days ago.`,
      counts: { one: "row removed", many: "rows removed" },
      everyMs: 3_600_000,
      limitMs: 10 * 60_000,
      async run(ctx) {
        let { done } = ctx.run;
        const removals: readonly (readonly [sql: string, ...values: unknown[]])[] = [
          [
            `DELETE FROM event WHERE id = ANY (ARRAY (SELECT id FROM event WHERE started_at < $1 AND ended_at IS NOT NULL LIMIT ${PART}))`,
            new Date(ctx.now - KEPT_DAYS * DAY),
          ],
          [
            `DELETE FROM event WHERE id = ANY (ARRAY (SELECT id FROM event WHERE kind <> 'note' AND ended_at IS NOT NULL
               AND id <= (SELECT id FROM event ORDER BY id DESC OFFSET $1 LIMIT 1) LIMIT ${PART}))`,
            MOST,
          ],
          [
            `DELETE FROM lag_minute WHERE minute IN (SELECT minute FROM lag_minute WHERE minute < $1 LIMIT ${PART})`,
            new Date(ctx.now - LAG_DAYS * DAY),
          ],
        ];
        for (const [sql, ...values] of removals)
          for (let isMore = true; isMore;)
            await ctx.step(async (tx) => {
              const removed = (await tx.query(sql, values)).rowCount ?? 0;
              isMore = removed === PART;
              return { done: (done += removed) };
            });
      },
    },
  ];
}
