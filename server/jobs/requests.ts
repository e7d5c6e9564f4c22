import { randomUUID } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import type { Signature } from "@/server/domain/access";

/** A run somebody asks for. */
export interface RequestedRun {
  readonly id?: string;
  readonly job: string;
  /** Left out: one unfinished run of the job at a time. */
  readonly lane?: string;
  readonly params?: unknown;
  readonly total?: number;
  readonly requestedBy: Signature;
  /** Unfinished runs of the job there may be. */
  readonly most?: number;
}

/** Adds a run that any worker takes. @returns its id, or null when the lane has an unfinished one, or the job too many. */
export async function requestRun(
  tx: Pool | PoolClient,
  { id = randomUUID(), job, lane = job, params = {}, total, requestedBy, most }: RequestedRun,
): Promise<string | null> {
  const { rowCount } = await tx.query(
    `INSERT INTO job_run (id, job, lane, trigger, requested_by, requested_by_account, params, total, state)
     SELECT $1, $2, $3, 'request', $4, $8, $5::json, $6, 'waiting'
     WHERE $7::integer IS NULL
       OR (SELECT count(*) FROM job_run WHERE job = $2 AND state IN ('waiting', 'running')) < $7
     ON CONFLICT DO NOTHING`,
    [id, job, lane, requestedBy.text, JSON.stringify(params), total ?? null, most ?? null, requestedBy.accountId],
  );
  return rowCount === 1 ? id : null;
}

/** Lets a run that waits to be tried again be tried at once. @returns false when none of the job waits so. */
export async function hurryRun(tx: Pool | PoolClient, job: string): Promise<boolean> {
  const { rowCount } = await tx.query(`UPDATE job_run SET not_before = NULL WHERE lane = $1 AND state = 'waiting'`, [
    job,
  ]);
  return rowCount === 1;
}

/** Ends a run that waits; one that runs is told to end, and does so within seconds. @returns false when it had ended. */
export async function stopRun(tx: Pool | PoolClient, job: string, id: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE job_run SET stop_wanted = true,
       finished_at = CASE WHEN state = 'waiting' THEN now() END, state = CASE WHEN state = 'waiting' THEN 'stopped' ELSE state END
     WHERE id = $2 AND job = $1 AND state IN ('waiting', 'running')`,
    [job, id],
  );
  return rowCount === 1;
}

/** Pauses a job's schedule, or lets it go on: what was missed is made up for by one run. @returns false without such a job. */
export async function pauseJob(tx: Pool | PoolClient, name: string, paused: boolean): Promise<boolean> {
  const { rowCount } = await tx.query(`UPDATE job SET paused = $2 WHERE name = $1 AND known`, [name, paused]);
  return rowCount === 1;
}
