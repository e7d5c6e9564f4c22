import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { JobContext } from "@/server/postgres/job";
import { dropMonth, firstMoment, lockMonths, monthOf, type MonthOfTable, readMonths } from "@/server/postgres/months";
import { forgetFiles } from "./cold/manifest";
import { firstDay } from "./cold/month-plan";
import type { ColdReader } from "./cold/reader";
import { isMerged, keepMinutes } from "./keep-minutes";

/** The table of readings. */
export const READINGS = "sample";
/** Devices whose rows are looked through together. */
const DEVICES = 100;

/** The months before the one `before` is in that have readings, in a partition of their own, beside those or in cold storage; the oldest first. */
export async function monthsOfReadings(client: Pool, before: EpochMs): Promise<MonthOfTable[]> {
  const divided = await readMonths(client, [READINGS]);
  const { rows } = await client.query<{ day: string }>(
    `SELECT DISTINCT to_char(date_trunc('month', time, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day FROM sample_other
     WHERE time >= '0001-01-01 UTC' AND time < $1
     UNION SELECT to_char(month, 'YYYY-MM-DD') FROM cold_file WHERE state = 'kept'`,
    [firstMoment(monthOf(before))],
  );
  const months = new Set([...divided.map(({ month }) => month), ...rows.map(({ day }) => monthOf(Date.parse(day)))]);
  return [...months]
    .filter((month) => month < monthOf(before))
    .sort((a, b) => a - b)
    .map((month) => ({ table: READINGS, month }));
}

/**
 * Removes a month of readings, from PostgreSQL and cold storage in one step, once all its rollups are there: they outlive the readings they
 * are of. What isn't merged yet waits for the next run. Nothing is taken for the month any more.
 * @param options.keepsMinutes whether minutes are to be answered from then on.
 * @param options.done what the run has done so far. @returns the same, after.
 * @throws ColdUnavailableError when minutes can't be made, as cold storage is away.
 */
export async function removeReadings(
  ctx: JobContext,
  options: { readonly month: number; readonly cold: ColdReader; readonly keepsMinutes: boolean; readonly done: number },
): Promise<number> {
  const { month, cold, keepsMinutes } = options;
  let { done } = options;
  if (!(await isMerged(ctx.tx, month))) return done;
  if (keepsMinutes) await keepMinutes(ctx, cold, month, done);
  for (let device: number | null = 0; device !== null;) {
    const after: number = device;
    await ctx.step(async (tx) => {
      const part = await removeRows(tx, month, after);
      done += part.removed;
      device = part.device;
      return { done };
    });
  }
  await ctx.step(async (tx) => {
    if (await dropReadings(tx, month)) done++;
    return { done };
  });
  return done;
}

/** @returns false when there was nothing, or late readings have come that aren't merged. */
async function dropReadings(tx: PoolClient, month: number): Promise<boolean> {
  await lockMonths(tx);
  const there = (await readMonths(tx, [READINGS])).some((one) => one.month === month);
  // Everybody writes by way of this table: who did has ended, and who does from now on sees that nothing is taken.
  await tx.query(`LOCK TABLE ONLY ${READINGS} IN ${there ? "ACCESS EXCLUSIVE" : "SHARE ROW EXCLUSIVE"} MODE`);
  if (!(await isMerged(tx, month))) return false;
  const files = await forgetFiles(tx, firstDay(month));
  if (there) await dropMonth(tx, { table: READINGS, month });
  return there || files > 0;
}

/** Removes what of a month lies in no partition of its own and is merged, of the next devices after `device`. */
async function removeRows(
  tx: PoolClient,
  month: number,
  device: number,
): Promise<{ readonly removed: number; readonly device: number | null }> {
  const { rows } = await tx.query<{ id: number }>(
    `SELECT id FROM device WHERE id > $1 ORDER BY id LIMIT ${DEVICES} FOR NO KEY UPDATE`,
    [device],
  );
  const last = rows.length < DEVICES ? null : rows.at(-1)!.id;
  const { rowCount } = await tx.query(
    `DELETE FROM sample_other s WHERE device_id > $1 AND ($2::integer IS NULL OR device_id <= $2) AND time >= $3 AND time < $4
       AND NOT EXISTS (SELECT FROM device WHERE id = s.device_id AND (rolled_until IS NULL OR rolled_until <= s.time))
       AND NOT EXISTS (SELECT FROM late_hour l WHERE l.device_id = s.device_id AND l.hour = date_trunc('hour', s.time, 'UTC'))`,
    [device, last, firstMoment(month), firstMoment(month + 1)],
  );
  return { removed: rowCount ?? 0, device: last };
}
