import { type Job, type JobContext, removeBySteps } from "@/server/postgres/job";
import { LAYOUT } from "./states";
import { createFollow, type DueDevice, type ReadSteps, STEP_MS } from "./follow";

const MINUTE = 60_000;
/** Stretches are kept for as long. */
const KEPT_DAYS = 400;
const CHUNK = 5000;
const DAY_MS = 86_400_000;

/** @param read reads steps of series */
export function oddnessJobs(read: ReadSteps): Job[] {
  const follow = createFollow(read);
  return [
    {
      name: "oddness",
      title: "Odd behaviour",
      about: `Compares each series with its own past, in steps of ${STEP_MS / MINUTE} minutes that are over.`,
      counts: { one: "step taken", many: "steps taken" },
      everyMs: MINUTE,
      limitMs: 60 * MINUTE,
      run: async (ctx) => follow.run(ctx, await findDevices(ctx)),
    },
    {
      name: "oddness-retention",
      title: "Odd behaviour retention",
      about: `Removes odd stretches ${KEPT_DAYS} days after their end.`,
      counts: { one: "stretch removed", many: "stretches removed" },
      everyMs: 60 * MINUTE,
      limitMs: 60 * MINUTE,
      run: (ctx) =>
        removeBySteps(ctx, CHUNK, async (tx, limit) => {
          const { rowCount } = await tx.query(
            `DELETE FROM odd_stretch WHERE id = ANY (ARRAY (SELECT id FROM odd_stretch WHERE to_time < $1 LIMIT $2))`,
            [new Date(ctx.now - KEPT_DAYS * DAY_MS), limit],
          );
          return rowCount ?? 0;
        }),
    },
  ];
}

/** Those that were heard of in the last day: others have nothing new. */
async function findDevices({ tx, now }: JobContext): Promise<DueDevice[]> {
  const { rows } = await tx.query<DueDevice>(
    `SELECT d.id, (extract(epoch FROM d.last_event_time) * 1000)::float8 AS latest, (extract(epoch FROM d.last_seen) * 1000)::float8 AS "lastSeen",
       s.version, (extract(epoch FROM s.until) * 1000)::float8 AS until, s.state IS NOT NULL AND s.layout = ${LAYOUT} AS known
     FROM device d LEFT JOIN odd_state s ON s.device_id = d.id
     WHERE d.last_seen >= $1 AND d.last_event_time IS NOT NULL ORDER BY d.id`,
    [new Date(now - DAY_MS)],
  );
  return rows;
}
