import type { Pool, PoolClient } from "pg";
import { createBackoff, pause } from "@/server/async/backoff";
import { counted } from "@/server/domain/counted";
import type { EpochMs } from "@/server/domain/terms";
import { UnavailableError } from "@/server/domain/unavailable";
import { ColdFileMissingError, type ColdStore, ColdUnavailableError } from "@/server/ports/cold-store";
import type { JobContext } from "@/server/postgres/job";
import {
  dropMonth,
  eachMonth,
  firstMoment,
  lockMonths,
  monthOf,
  monthText,
  readMonths,
  startOf,
  watchMonth,
} from "@/server/postgres/months";
import { errorCode } from "@/server/postgres/start-error";
import { readEdge } from "../retention";
import { keptFiles, noteKept, noteRemoving, noteUnused, type WrittenFile } from "./manifest";
import { firstDay, planMonth } from "./month-plan";
import type { ColdReader } from "./reader";
import { MetricGoingError, writeMonth } from "./write-files";

export interface MoveDeps {
  readonly store: ColdStore;
  readonly cold: ColdReader;
}

/** Months that are due and can't be moved yet. */
class MonthsWaitError extends UnavailableError {
  override readonly name = "MonthsWaitError";
  constructor(waiting: ReadonlyMap<number, string>) {
    const each = [...waiting].map(([month, why]) => `${monthText(month)} (${why})`);
    super(`All else is moved. Left for the next try: ${each.join(", ")}.`);
  }
}

/** Readings of the month changed while they were copied; it is the next run's turn. */
class TouchedError extends Error {
  override readonly name = "TouchedError";
}

/**
 * Moves months that ended before `before` and whose hours are all merged: to files, and only when these were found to hold the same, out
 * of PostgreSQL. A month that got late readings since, or lost a device, is written anew with them.
 */
export async function moveMonths(ctx: JobContext, deps: MoveDeps, before: EpochMs): Promise<void> {
  let { done } = ctx.run;
  const { months, waiting } = await monthsToMove(ctx.tx, before);
  await eachMonth(
    months.map((month) => ({ table: "sample", month })),
    async ({ month }) => {
      ctx.signal.throwIfAborted();
      try {
        if (await moveMonth(ctx, deps, month, done)) done++;
        else waiting.set(month, "its readings changed while they were copied");
      } catch (error) {
        const why = reasonToWait(error);
        if (why === null) throw error;
        waiting.set(month, why);
      }
    },
  );
  if (waiting.size > 0) throw new MonthsWaitError(waiting);
}

/** Why one month alone can't be moved: all others are. Null: the error isn't of that kind. */
function reasonToWait(error: unknown): string | null {
  if (error instanceof MetricGoingError) return error.message;
  // A file that nobody brings back must not keep the other months in PostgreSQL.
  const isFileGone = error instanceof ColdUnavailableError && error.cause instanceof ColdFileMissingError;
  return isFileGone ? (error.cause as ColdFileMissingError).message : null;
}

/** Months before the one `before` is in that are to be written: those with readings in PostgreSQL, or files with rows of a device that is no more, or with readings that were removed by a rule. `waiting` tells why others can't be yet. */
async function monthsToMove(
  client: Pool,
  before: EpochMs,
): Promise<{ readonly months: number[]; readonly waiting: Map<number, string> }> {
  const divided = (await readMonths(client, ["sample"])).map(({ month }) => month);
  const { rows: others } = await client.query<{ day: string; stale: boolean }>(
    `SELECT DISTINCT to_char(date_trunc('month', time, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, false AS stale FROM sample_other
     WHERE time >= '0001-01-01 UTC' AND time < $1
     UNION
     SELECT to_char(f.month, 'YYYY-MM-DD'), true FROM cold_file f WHERE f.state = 'kept' AND (
       f.rows > (SELECT coalesce(sum(d.rows), 0) FROM cold_device d WHERE d.file_id = f.id)
       OR f.readings > (SELECT coalesce(sum(n), 0) FROM cold_device d CROSS JOIN LATERAL unnest(d.counts) AS n WHERE d.file_id = f.id)
       OR EXISTS (SELECT FROM cold_device d WHERE d.file_id = f.id AND NOT EXISTS (SELECT FROM device WHERE id = d.device_id)))`,
    [firstMoment(monthOf(before))],
  );
  // What is being removed isn't moved before.
  const edge = await readEdge(client);
  const hot = divided.filter((month) => month < monthOf(before));
  const found = others.map(({ day, stale }) => ({ month: monthOf(Date.parse(day)), stale }));
  const stale = new Set(found.filter((one) => one.stale).map(({ month }) => month));
  const months: number[] = [];
  const waiting = new Map<number, string>();
  for (const month of [...new Set([...hot, ...found.map(({ month }) => month)])].sort((a, b) => a - b)) {
    if (edge !== null && startOf(month) < edge) continue;
    const { isWanted, why } = await readinessOf(client, month, stale.has(month));
    if (isWanted && why === null) months.push(month);
    else if (isWanted) waiting.set(month, why!);
  }
  return { months, waiting };
}

/** Whether the month has anything to be written and nobody wants it in PostgreSQL; and what of it isn't merged yet. */
async function readinessOf(
  client: Pool,
  month: number,
  isStale: boolean,
): Promise<{ readonly isWanted: boolean; readonly why: string | null }> {
  const { rows } = await client.query<{ isWanted: boolean; late: number; device: string | null }>(
    `SELECT NOT EXISTS (SELECT FROM cold_hold WHERE month = $1::date)
       AND ($4 OR EXISTS (SELECT FROM sample WHERE time >= $2 AND time < $3)) AS "isWanted",
       (SELECT count(*)::integer FROM late_hour WHERE hour >= $2 AND hour < $3) AS late,
       (SELECT min(d.name) FROM device d WHERE (d.rolled_until IS NULL OR d.rolled_until < $3) AND EXISTS (
         SELECT FROM sample s WHERE s.device_id = d.id AND s.time >= greatest(coalesce(d.rolled_until, $2), $2) AND s.time < $3)) AS device`,
    [firstDay(month), firstMoment(month), firstMoment(month + 1), isStale],
  );
  const { isWanted, late, device } = rows[0]!;
  if (late > 0) return { isWanted, why: `late readings of ${counted(late, "hour")} are not merged yet` };
  return { isWanted, why: device && `readings of ${device} are not merged yet` };
}

/** @returns false when readings of the month changed meanwhile: nothing was moved. */
async function moveMonth(ctx: JobContext, deps: MoveDeps, month: number, done: number): Promise<boolean> {
  const progress = { done };
  // Whatever is written from now on is noted, and what was being written is seen below.
  await whenFree(ctx, () =>
    ctx.step(async (tx) => {
      await lockMonths(tx);
      await watchMonth(tx, month);
      return progress;
    }),
  );
  const old = await keptFiles(ctx.tx, firstDay(month));
  let files: readonly WrittenFile[];
  try {
    files = await writeMonth(
      {
        ...{ client: ctx.tx, store: deps.store, cold: deps.cold, signal: ctx.signal },
        step: (work) => ctx.step(async (tx) => (await work(tx), progress)),
      },
      month,
      await planMonth(ctx.tx, month),
    );
  } catch (error) {
    // Readings that came between two looks are no difference between the file and what it was made of.
    if (!(error instanceof UnavailableError) && (await isTouched(ctx.tx, month))) return false;
    throw error;
  }
  try {
    await whenFree(ctx, () =>
      ctx.step(async (tx) => {
        await switchTo(tx, month, files, old);
        return { done: done + 1 };
      }),
    );
  } catch (error) {
    await ctx.step(async (tx) => {
      await noteUnused(tx, files);
      return progress;
    });
    if (error instanceof TouchedError) return false;
    throw error;
  }
  return true;
}

/** Tries again while others have the table, each time only for a moment: whoever needs it meanwhile waits behind. */
async function whenFree(ctx: JobContext, work: () => Promise<void>): Promise<void> {
  const backoff = createBackoff({ firstMs: 100, maxMs: 5000 });
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (errorCode(error) !== LOCK_NOT_AVAILABLE || attempt === ATTEMPTS) throw error;
      await pause(backoff.next(), ctx.signal);
      ctx.signal.throwIfAborted();
    }
  }
}

const LOCK_NOT_AVAILABLE = "55P03";
const ATTEMPTS = 20;

/** The one step in which the month leaves PostgreSQL, and from whose commit on it is read from `files`. */
async function switchTo(
  tx: PoolClient,
  month: number,
  files: readonly WrittenFile[],
  old: readonly number[],
): Promise<void> {
  for (const file of files) await noteKept(tx, file);
  if (old.length > 0) await noteRemoving(tx, old);
  await lockMonths(tx);
  await tx.query("LOCK TABLE sample IN ACCESS EXCLUSIVE MODE");
  const edge = await readEdge(tx);
  if ((await isTouched(tx, month)) || (edge !== null && startOf(month) < edge))
    throw new TouchedError(`readings of ${firstDay(month)} changed meanwhile`);
  await dropMonth(tx, { table: "sample", month });
}

/** Whether readings of a watched month have changed since {@link watchMonth}. */
async function isTouched(client: Pool | PoolClient, month: number): Promise<boolean> {
  const { rowCount } = await client.query("SELECT FROM cold_touched WHERE month = $1", [firstDay(month)]);
  return rowCount !== 0;
}
