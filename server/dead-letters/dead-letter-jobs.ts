import type { Pool } from "pg";
import type { DeadLetterReason } from "@/server/domain/reasons";
import type { EpochMs } from "@/server/domain/terms";

export type DeadLetterJobAction = "replay" | "discard" | "restore";
export type DeadLetterJobStatus = "waiting" | "running" | "done" | "stopped" | "failed";

/** Which dead letters a job works on; null where device or field must be unknown. */
export interface DeadLetterJobFilter {
  readonly reason?: DeadLetterReason;
  readonly device?: string | null;
  readonly field?: string | null;
}

/** Work on many dead letters. */
export interface DeadLetterJobRow {
  readonly id: string;
  readonly action: DeadLetterJobAction;
  readonly filter: DeadLetterJobFilter;
  /** Only letters the log took by then. */
  readonly until: EpochMs;
  readonly perSecond: number;
  readonly status: DeadLetterJobStatus;
  readonly total: number;
  readonly done: number;
  readonly skipped: number;
  readonly createdAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  readonly error: string | null;
}

export type NewDeadLetterJob = Pick<DeadLetterJobRow, "id" | "action" | "filter" | "until" | "perSecond" | "total">;

const COLUMNS = `id, action, filter, until, per_second AS "perSecond", status, total, done, skipped, created_at AS "createdAt",
  finished_at AS "finishedAt", error`;

/** Adds a job that waits for a worker, unless `most` are unfinished. @returns null when there is no room. */
export async function addDeadLetterJob(
  pool: Pool,
  { id, action, filter, until, perSecond, total }: NewDeadLetterJob,
  most: number,
): Promise<DeadLetterJobRow | null> {
  const { rows } = await pool.query<Row>(
    `INSERT INTO dead_letter_job (id, action, filter, until, per_second, total, status)
     SELECT $1, $2, $3::json, $4::timestamptz, $5, $6, 'waiting'
     WHERE (SELECT count(*) FROM dead_letter_job WHERE status IN ('waiting', 'running')) < $7
     RETURNING ${COLUMNS}`,
    [id, action, JSON.stringify(filter), new Date(until).toISOString(), perSecond, total, most],
  );
  return rows[0] ? jobOf(rows[0]) : null;
}

/** Newest first. */
export async function listDeadLetterJobs(pool: Pool, limit: number): Promise<DeadLetterJobRow[]> {
  const { rows } = await pool.query<Row>(
    `SELECT ${COLUMNS} FROM dead_letter_job ORDER BY created_at DESC, id LIMIT $1`,
    [limit],
  );
  return rows.map(jobOf);
}

/** Those that wait or run, oldest first. */
export async function unfinishedDeadLetterJobs(pool: Pool): Promise<DeadLetterJobRow[]> {
  const { rows } = await pool.query<Row>(
    `SELECT ${COLUMNS} FROM dead_letter_job WHERE status IN ('waiting', 'running') ORDER BY created_at, id`,
  );
  return rows.map(jobOf);
}

export async function findDeadLetterJob(pool: Pool, id: string): Promise<DeadLetterJobRow | null> {
  const { rows } = await pool.query<Row>(`SELECT ${COLUMNS} FROM dead_letter_job WHERE id = $1`, [id]);
  return rows[0] ? jobOf(rows[0]) : null;
}

/** Notes how far an unfinished job is. @returns false when it was stopped meanwhile. */
export async function noteJobProgress(
  pool: Pool,
  id: string,
  { done, skipped }: { readonly done: number; readonly skipped: number },
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE dead_letter_job SET status = 'running', done = $2, skipped = $3
     WHERE id = $1 AND status IN ('waiting', 'running')`,
    [id, done, skipped],
  );
  return rowCount === 1;
}

/** Ends an unfinished job. @returns false when it had ended already. */
export async function endDeadLetterJob(
  pool: Pool,
  id: string,
  status: "done" | "stopped" | "failed",
  error: string | null = null,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE dead_letter_job SET status = $2, error = $3, finished_at = now()
     WHERE id = $1 AND status IN ('waiting', 'running')`,
    [id, status, error],
  );
  return rowCount === 1;
}

/** Removes jobs that ended before `before`; returns how many. */
export async function removeJobsBefore(pool: Pool, before: EpochMs): Promise<number> {
  const { rowCount } = await pool.query("DELETE FROM dead_letter_job WHERE finished_at < $1", [
    new Date(before).toISOString(),
  ]);
  return rowCount ?? 0;
}

type Row = Omit<DeadLetterJobRow, "until" | "createdAt" | "finishedAt"> & {
  readonly until: Date;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
};

function jobOf(row: Row): DeadLetterJobRow {
  return {
    ...row,
    until: row.until.getTime(),
    createdAt: row.createdAt.getTime(),
    finishedAt: row.finishedAt?.getTime() ?? null,
  };
}
