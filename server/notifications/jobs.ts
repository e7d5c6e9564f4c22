import type { Job } from "@/server/postgres/job";

const DAY = 24 * 3_600_000;
const HOUR = 3_600_000;
/** How long it is kept who was told what. */
const KEPT_DAYS = 400;
const PART = 2000;

/** Removes what is known of messages of long ago; verdicts go with their alerts. */
export function notificationJobs(): Job[] {
  return [
    {
      name: "notification-retention",
      title: "Message history retention",
      about: `Removes messages about alerts, ended silences and groups that nothing is in any more, ${KEPT_DAYS} days after them.`,
      counts: { one: "row removed", many: "rows removed" },
      everyMs: HOUR,
      limitMs: 10 * 60_000,
      async run(ctx) {
        const before = new Date(ctx.now - KEPT_DAYS * DAY);
        let { done } = ctx.run;
        const statements = [
          `DELETE FROM notification WHERE id = ANY (ARRAY (SELECT id FROM notification WHERE made_at < $1 AND status NOT IN ('waiting', 'sending') LIMIT ${PART}))`,
          `DELETE FROM silence WHERE id = ANY (ARRAY (SELECT id FROM silence WHERE ends_at < $1 LIMIT ${PART}))`,
          `DELETE FROM notification_group WHERE id = ANY (ARRAY (SELECT id FROM notification_group g WHERE next_at IS NULL AND last_told < $1
             AND NOT EXISTS (SELECT FROM group_alert a WHERE a.group_id = g.id) LIMIT ${PART}))`,
        ];
        for (const statement of statements)
          for (let isMore = true; isMore;)
            await ctx.step(async (tx) => {
              const removed = (await tx.query(statement, [before])).rowCount ?? 0;
              isMore = removed === PART;
              return { done: (done += removed) };
            });
      },
    },
  ];
}
