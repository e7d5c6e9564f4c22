import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import {
  dropMonth,
  firstMoment,
  makeMonth,
  monthName,
  monthOf,
  type MonthOfTable,
  readMonths,
  startOf,
  lockMonths,
  undivided,
} from "@/server/postgres/months";
import { timeText } from "@/server/postgres/time-text";
import { withTransaction } from "@/server/postgres/transaction";
import { removeQuarters } from "./quarters";

/**
 * A table is divided into the months of the last 20 years and those that may come. What is older goes to its *_other partition, where
 * it is found just the same: whatever years come in whatever order, they use up nothing that coming months need.
 */
const PAST_MONTHS = 240;

/** The tables divided into months of event time. */
const TABLES = ["sample", "rollup_minute", "rollup_hour"] as const;

export interface Partitions {
  /** Makes the months that `times` need, but very old ones. Cheap once they are known. */
  ensure(times: Iterable<EpochMs>): Promise<void>;
}

/** Keeps the month partitions of samples and rollups ahead of the rows. Workers may do this at once. */
export function createPartitions(pool: Pool, now: () => EpochMs = Date.now): Partitions {
  // Months settled, made or left to *_other: what comes is no newer than the pipeline's tolerance.
  const settled = new Set<number>();
  return {
    async ensure(times) {
      const wanted = new Set<number>();
      let from = 0;
      let to = 0;
      for (const time of times) {
        if (time >= from && time < to) continue;
        const month = monthOf(time);
        from = startOf(month);
        to = startOf(month + 1);
        if (!settled.has(month)) wanted.add(month);
      }
      if (wanted.size === 0) return;
      const oldest = monthOf(now()) - PAST_MONTHS;
      const months = [...wanted].filter((month) => month >= oldest).sort((a, b) => a - b);
      if (months.length > 0) await make(months);
      for (const month of wanted) settled.add(month);
    },
  };

  async function make(months: readonly number[]): Promise<void> {
    await withTransaction(pool, async (client) => {
      // Attaching waits for long readers, and would make others wait behind it: rather give up and come again.
      await lockMonths(client, "5s");
      const there = new Set((await readMonths(client, TABLES)).map(monthName));
      for (const month of months)
        for (const table of TABLES)
          if (!there.has(monthName({ table, month }))) await makeMonth(client, { table, month });
    });
  }
}

/** The table of each kind of rollups. */
const TABLE_OF = { minutes: "rollup_minute", hours: "rollup_hour" } as const;

type Rollups = keyof typeof TABLE_OF;

/** The months of a kind before the one `before` is in, the oldest first: whole months go. */
export async function oldMonths(client: Pool | PoolClient, keeps: Rollups, before: EpochMs): Promise<MonthOfTable[]> {
  const months = await readMonths(client, [TABLE_OF[keeps]]);
  return months.filter(({ month }) => month < monthOf(before));
}

/** Drops a month, unless another has. */
export async function dropOldMonth(tx: PoolClient, old: MonthOfTable): Promise<boolean> {
  await lockMonths(tx);
  const there = await readMonths(tx, [old.table]);
  if (!there.some(({ month }) => month === old.month)) return false;
  await dropMonth(tx, old);
  if (old.table === TABLE_OF.hours) await removeQuarters(tx, startOf(old.month + 1));
  return true;
}

/** Devices whose rows are looked through together. */
const DEVICES = 100;

/**
 * Removes what of a kind lies in no month's partition and is older than the month `before` is in, of the next devices after `device`; of texts, whose
 * table has no months, what is older than `before`.
 * @returns the rows removed, and the last device looked at; null: there are no more.
 */
export async function removeOldRows(
  tx: PoolClient,
  keeps: Rollups | "texts",
  before: EpochMs,
  device: number,
): Promise<{ readonly removed: number; readonly device: number | null }> {
  const { rows } = await tx.query<{ last: number; devices: number }>(
    `SELECT max(id) AS last, count(*)::integer AS devices
     FROM (SELECT id FROM device WHERE id > $1 ORDER BY id LIMIT ${DEVICES}) d`,
    [device],
  );
  const { last, devices } = rows[0]!;
  const isEnd = devices < DEVICES;
  let removed = 0;
  const places =
    keeps === "texts"
      ? [{ table: "text_run", column: "to_time", edge: timeText(before) }]
      : (await undivided(tx, TABLE_OF[keeps])).map((table) => {
          return { table, column: "bucket", edge: firstMoment(monthOf(before)) };
        });
  for (const { table, column, edge } of places) {
    const { rowCount } = await tx.query(
      `DELETE FROM ${table} WHERE device_id > $1 AND ($2::integer IS NULL OR device_id <= $2) AND ${column} < $3`,
      [device, isEnd ? null : last, edge],
    );
    removed += rowCount ?? 0;
  }
  return { removed, device: isEnd ? null : last };
}
