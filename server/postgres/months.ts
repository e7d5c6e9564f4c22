import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { UnavailableError } from "@/server/domain/unavailable";
import { errorCode } from "./start-error";

/** One month of a table that is divided into months; the table's *_other partition has what lies in none of them. */
export interface MonthOfTable {
  readonly table: string;
  /** Months since year 0. */
  readonly month: number;
}

/** The month a moment is in, counted since year 0. */
export function monthOf(time: EpochMs): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** The first moment of a month. */
export function startOf(month: number): EpochMs {
  return Date.UTC(yearOf(month), month % 12);
}

/** The start of a month for SQL; as toISOString() has it, PostgreSQL can't read the year 10000 that ends the last month. */
export function firstMoment(month: number): string {
  return `${digits(yearOf(month), 4)}-${digits(numberOf(month), 2)}-01 00:00:00+00`;
}

/** The month as people write it: 2026-08. */
export function monthText(month: number): string {
  return `${digits(yearOf(month), 4)}-${digits(numberOf(month), 2)}`;
}

/** Reads 2026-08; null when it isn't a month. */
export function parseMonth(text: string): number | null {
  const [, year, number] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  return year === undefined ? null : Number(year) * 12 + Number(number) - 1;
}

/** The name of a month's partition. */
export function monthName({ table, month }: MonthOfTable): string {
  return `${table}_${digits(yearOf(month), 4)}_${digits(numberOf(month), 2)}`;
}

/** The months that there are of these tables, the oldest first. */
export async function readMonths(client: Pool | PoolClient, tables: readonly string[]): Promise<MonthOfTable[]> {
  const { rows } = await client.query<{ table: string; name: string }>(
    `SELECT i.inhparent::regclass::text AS table, c.relname AS name
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = ANY ($1::text[]::regclass[])`,
    [tables],
  );
  const months = rows.flatMap(({ table, name }) => {
    const match = /_(\d{4})_(\d{2})$/.exec(name);
    return match ? [{ table, month: Number(match[1]) * 12 + Number(match[2]) - 1 }] : [];
  });
  return months.sort((a, b) => a.month - b.month);
}

/** The partitions of a table that are no month's: what fits in none, and what there was before the table was divided. */
export async function undivided(client: Pool | PoolClient, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM unnest(ARRAY[$1 || '_other', $1 || '_before']) AS name WHERE to_regclass(name) IS NOT NULL`,
    [table],
  );
  return rows.map(({ name }) => name);
}

/** The tables divided into months: those divided by time, as others are by days' numbers. */
export async function readDivided(client: Pool | PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ table: string }>(
    `SELECT p.partrelid::regclass::text AS table FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
     JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
     WHERE a.atttypid = 'timestamptz'::regtype AND c.relnamespace = current_schema()::regnamespace ORDER BY 1`,
  );
  return rows.map(({ table }) => table);
}

/** Makes a month's partition. @returns false when *_other has rows of that month, which then stays there. */
export async function makeMonth(tx: PoolClient, one: MonthOfTable): Promise<boolean> {
  await tx.query("SELECT make_month($1, $2, $3)", [one.table, yearOf(one.month), numberOf(one.month)]);
  const { rows } = await tx.query<{ made: boolean }>("SELECT to_regclass($1) IS NOT NULL AS made", [monthName(one)]);
  return rows[0]!.made;
}

/** From the commit on, changes of a month's samples are noted in cold_touched; what *_other has of the month goes to a partition of its own. */
export async function watchMonth(tx: PoolClient, month: number): Promise<void> {
  const { rows } = await tx.query<{ there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [
    monthName({ table: "sample", month }),
  ]);
  // A statement that waited for sample_other alone would go on without the partition its rows went to: it has looked which there are before.
  if (!rows[0]!.there) await tx.query("LOCK TABLE sample IN ACCESS EXCLUSIVE MODE");
  await tx.query("SELECT watch_month($1, $2)", [yearOf(month), numberOf(month)]);
}

/** Drops a month with all that is in it. The transaction should hold nothing else, and begin with {@link lockMonths}. */
export async function dropMonth(tx: PoolClient, { table, month }: MonthOfTable): Promise<void> {
  await tx.query("SELECT drop_month($1, $2, $3)", [table, yearOf(month), numberOf(month)]);
}

/** Drops a month of dead letters but for those that are being sent again. @returns how many it dropped. */
export async function dropDeadLetterMonth(tx: PoolClient, month: number): Promise<number> {
  const { rows } = await tx.query<{ count: string }>("SELECT drop_dead_letter_month($1, $2) AS count", [
    yearOf(month),
    numberOf(month),
  ]);
  return Number(rows[0]!.count);
}

/**
 * Begins the making or dropping of months, of which one goes on at a time. It gives up soon where it has to wait for others: everybody
 * who needs the table waits behind it, for as long as a long reader lets it wait.
 */
export async function lockMonths(tx: PoolClient, patience: "1s" | "5s" = "1s"): Promise<void> {
  await tx.query(
    `SET LOCAL lock_timeout = '${patience}'; SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.partitions', 0))`,
  );
}

/**
 * Until the transaction ends no month of readings leaves PostgreSQL. For whoever looks in cold storage first and then here, or changes what it finds
 * on both sides: a month that moves in between would be found on neither.
 */
export async function holdMonths(tx: PoolClient): Promise<void> {
  await tx.query("LOCK TABLE ONLY sample IN ACCESS SHARE MODE");
}

/** Months that are in use without a break, so that they could be neither made nor dropped; it may work later. */
class MonthsInUseError extends UnavailableError {
  override readonly name = "MonthsInUseError";
  constructor(readonly months: readonly string[]) {
    super(
      `In use, so left for the next try: ${months.join(", ")}. Somebody's long statement or open transaction is at that table: pg_stat_activity says whose.`,
    );
  }
}

/**
 * Does `work` with each of these months, those after one that is in use as well.
 * @throws MonthsInUseError at the end, when one was in use. `work` is to begin with {@link lockMonths}.
 */
export async function eachMonth(
  months: readonly MonthOfTable[],
  work: (month: MonthOfTable) => Promise<void>,
): Promise<void> {
  const inUse: string[] = [];
  for (const month of months) {
    try {
      await work(month);
    } catch (error) {
      if (errorCode(error) !== LOCK_NOT_AVAILABLE) throw error;
      inUse.push(monthName(month));
    }
  }
  if (inUse.length > 0) throw new MonthsInUseError(inUse);
}

const LOCK_NOT_AVAILABLE = "55P03";

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
