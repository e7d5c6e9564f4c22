import type { Pool } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";
import { dayOf } from "../archive/block";

/** Partitions of as many days as are kept are few enough for one a day; beyond, one has a month of thirty days. */
const SINGLE_DAYS = 100;
const MONTH = 30;
const LOCK_NOT_AVAILABLE = "55P03";
/** Making and dropping stops readers of the archive: rather give up and come again. */
const SHORT = [
  `SET LOCAL lock_timeout = '1s'`,
  `SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.archive', 0))`,
];

/** The partitions of archive_block. Safe to use by several workers at once. */
export interface ArchiveDays {
  /** Makes the partition of a day, unless it is far from what is kept: such a day's blocks go to archive_block_other. */
  ensure(day: number, now: EpochMs): Promise<void>;
  /**
   * Drops the partitions that end before a day, each in a transaction of its own. Yields the messages dropped with each.
   * @throws at the end, when some were in use.
   */
  dropBefore(day: number): AsyncGenerator<number>;
}

/** @param keptDays days for which messages are kept. */
export function createArchiveDays(pool: Pool, keptDays: number): ArchiveDays {
  const settled = new Set<number>();
  return {
    async ensure(day, now) {
      if (settled.has(day)) return;
      const today = dayOf(now);
      if (day < 0 || day < today - keptDays - 1 || day > today + 1) return;
      await withTransaction(
        pool,
        async (tx) => {
          // A month has no room where days of it are parts already: this day then becomes one, too.
          for (const days of keptDays > SINGLE_DAYS ? [MONTH, 1] : [1])
            await tx.query("SELECT make_archive_days($1, $2)", [day - (day % days), days]);
        },
        SHORT,
      );
      settled.add(day);
    },

    async *dropBefore(day) {
      let inUse: unknown;
      for (const part of await partsOf(pool)) {
        if (part.to > day) continue;
        try {
          yield await drop(pool, part);
        } catch (error) {
          if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
          inUse = error;
        }
      }
      if (inUse !== undefined) throw inUse;
    },
  };
}

interface Part {
  readonly from: number;
  readonly to: number;
}

function drop(pool: Pool, { from, to }: Part): Promise<number> {
  return withTransaction(
    pool,
    async (tx) => {
      const { rows } = await tx.query<{ messages: string }>(
        "SELECT coalesce(sum(messages), 0) AS messages FROM archive_block WHERE day >= $1 AND day < $2",
        [from, to],
      );
      await tx.query("SELECT drop_archive_days($1)", [from]);
      return Number(rows[0]!.messages);
    },
    SHORT,
  );
}

/** The parts there are, oldest first: their first day, and the day after their last. */
async function partsOf(pool: Pool): Promise<Part[]> {
  const { rows } = await pool.query<Part>(
    `SELECT bound[1]::integer AS "from", bound[2]::integer AS "to"
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
       regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\((\\d+)\\) TO \\((\\d+)\\)') bound
     WHERE i.inhparent = 'archive_block'::regclass AND bound IS NOT NULL ORDER BY 1`,
  );
  return rows;
}
