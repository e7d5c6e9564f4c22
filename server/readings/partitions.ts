import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";

/**
 * A table is divided into the months of the last 20 years and those that may come. What is older goes to its *_other partition, where
 * it is found just the same: whatever years come in whatever order, they use up nothing that coming months need.
 */
const PAST_MONTHS = 240;

/** The tables divided into months of event time. */
const TABLES = [
  { table: "sample", column: "time" },
  { table: "rollup_minute", column: "bucket" },
] as const;

export interface Partitions {
  /** Makes the months that `times` need, but very old ones. Cheap once they are known. */
  ensure(times: Iterable<EpochMs>): Promise<void>;
}

/** Keeps the month partitions of samples and minute rollups ahead of the rows. Workers may do this at once. */
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
      await client.query(`SET LOCAL lock_timeout = '5s'`);
      await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.partitions', 0))`);
      for (const { table } of TABLES) await addMonths(client, table, months);
    });
  }
}

async function addMonths(client: PoolClient, table: string, months: readonly number[]): Promise<void> {
  const there = new Set(await monthsOf(client, table));
  for (const month of months)
    if (!there.has(month)) await client.query("SELECT make_month($1, $2, $3)", [table, yearOf(month), numberOf(month)]);
}

/**
 * Drops the oldest month of samples and of minute rollups before the one `before` is in. Whole months go, so that rollups
 * still equal a recount. Its lock stops readers and writers: the transaction should hold nothing else.
 * @returns the names of the partitions dropped; none: there was no such month.
 */
export async function dropOldestMonth(tx: PoolClient, before: EpochMs): Promise<string[]> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.partitions', 0))`);
  const ends = await Promise.all(TABLES.map(({ table }) => monthsOf(tx, table)));
  const month = Math.min(...ends.flat());
  if (month >= monthOf(before)) return [];
  const divided = TABLES.filter((_, i) => ends[i]!.includes(month));
  for (const { table } of divided)
    await tx.query("SELECT drop_month($1, $2, $3)", [table, yearOf(month), numberOf(month)]);
  return divided.map(({ table }) => partitionName(table, month));
}

/** Devices whose rows are looked through together. */
const DEVICES = 100;

/**
 * Removes what lies in no month's partition and is older than the month `before` is in, of the next devices after `device`.
 * @returns the rows removed, and the last device looked at; null: there are no more.
 */
export async function removeOldRows(
  tx: PoolClient,
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
  for (const [table, column] of OUTSIDE_MONTHS) {
    const { rowCount } = await tx.query(
      `DELETE FROM ${table} WHERE device_id > $1 AND ($2::integer IS NULL OR device_id <= $2) AND ${column} < $3`,
      [device, isEnd ? null : last, firstMoment(monthOf(before))],
    );
    removed += rowCount ?? 0;
  }
  return { removed, device: isEnd ? null : last };
}

const OUTSIDE_MONTHS = [
  ...TABLES.map(({ table, column }) => [`${table}_other`, column] as const),
  ["rollup_hour", "bucket"] as const,
];

/** Months since year 0. */
function monthOf(time: EpochMs): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function startOf(month: number): EpochMs {
  return Date.UTC(Math.floor(month / 12), month % 12);
}

/** The start of a month for SQL; as toISOString() has it, PostgreSQL can't read the year 10000 that ends the last month. */
function firstMoment(month: number): string {
  return `${digits(yearOf(month), 4)}-${digits(numberOf(month), 2)}-01 00:00:00+00`;
}

function yearOf(month: number): number {
  return Math.floor(month / 12);
}

/** The month's number in its year, from 1. */
function numberOf(month: number): number {
  return (month % 12) + 1;
}

function digits(number: number, length: number): string {
  return String(number).padStart(length, "0");
}

function partitionName(table: string, month: number): string {
  return `${table}_${digits(yearOf(month), 4)}_${digits(numberOf(month), 2)}`;
}

async function monthsOf(client: PoolClient, table: string): Promise<number[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = $1::regclass`,
    [table],
  );
  const months: number[] = [];
  for (const { name } of rows) {
    const match = /_(\d{4})_(\d{2})$/.exec(name);
    if (match) months.push(Number(match[1]) * 12 + Number(match[2]) - 1);
  }
  return months;
}
