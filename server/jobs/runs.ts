import type { Pool, PoolClient } from "pg";
import { SYSTEM } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { Job, Progress } from "@/server/postgres/job";
import { prepared } from "@/server/postgres/prepared";

/** A run that a worker holds. */
export interface TakenRun {
  readonly id: string;
  readonly job: string;
  /** A number of this taking alone: whoever takes the run later has a greater one. */
  readonly token: number;
  readonly params: unknown;
  readonly cursor: unknown;
  readonly done: number;
  readonly total: number | null;
  readonly attempt: number;
  /** True when nobody had it before. */
  readonly isFirst: boolean;
  /** When it was due; null: somebody asked for it. */
  readonly scheduledFor: EpochMs | null;
}

/** Runs taken at once, at most. */
const MOST_TAKEN = 20;

/** Writes down which jobs there are; those that are there keep whether they are paused, and when they are due. */
export async function registerJobs(pool: Pool, jobs: readonly Job[], firstMs: number): Promise<void> {
  await pool.query(
    `INSERT INTO job AS j (name, title, about, every_ms, counts, next_at)
     SELECT name, title, about, every_ms, counts, now() + $5 * interval '1 millisecond' * sign(every_ms)
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $6::json[]) AS n (name, title, about, every_ms, counts)
     ORDER BY name
     ON CONFLICT (name) DO UPDATE SET title = excluded.title, about = excluded.about, every_ms = excluded.every_ms, counts = excluded.counts, known = true,
       next_at = CASE WHEN j.every_ms IS NOT DISTINCT FROM excluded.every_ms THEN coalesce(j.next_at, excluded.next_at) ELSE excluded.next_at END`,
    [
      jobs.map(({ name }) => name),
      jobs.map(({ title }) => title),
      jobs.map(({ about }) => about),
      jobs.map(({ everyMs }) => everyMs),
      firstMs,
      jobs.map(({ counts }) => JSON.stringify(counts)),
    ],
  );
  await pool.query(`UPDATE job SET known = false, next_at = NULL WHERE known AND NOT name = ANY ($1::text[])`, [
    jobs.map(({ name }) => name),
  ]);
}

// A clock that was set back would leave a job due in a far future.
const DUE = `name = ANY ($1::text[]) AND NOT paused
         AND (next_at <= now() OR next_at > now() + every_ms * interval '1 millisecond' + interval '1 minute')`;
const TAKEABLE = `(state = 'waiting' AND coalesce(not_before <= now(), true) OR state = 'running' AND lease_until < now())`;
const ANY_WORK = prepared(
  `SELECT EXISTS (SELECT FROM job WHERE ${DUE}) OR EXISTS (SELECT FROM job_run WHERE job = ANY ($1::text[]) AND ${TAKEABLE}) AS any_work`,
);

/** Says whether a job may be due, or a run to be taken: nearly always neither is, and nothing has to be locked to know it. */
export async function isAnyWork(pool: Pool, names: readonly string[]): Promise<boolean> {
  const { rows } = await pool.query<{ any_work: boolean }>(ANY_WORK([names]));
  return rows[0]!.any_work;
}

const PLAN = prepared(
  `WITH due AS (
       SELECT name, least(next_at, now()) AS at, next_at > now() AS too_far, every_ms FROM job
       WHERE ${DUE}
       ORDER BY name FOR UPDATE SKIP LOCKED
     ), moved AS (
       UPDATE job j SET next_at = due.at + due.every_ms * interval '1 millisecond'
         * (floor(extract(epoch FROM now() - due.at) * 1000 / due.every_ms) + 1)
       FROM due WHERE j.name = due.name RETURNING j.name, due.at
     )
     INSERT INTO job_run (id, job, lane, trigger, scheduled_for, state)
     SELECT gen_random_uuid()::text, name, name, 'schedule', at, 'waiting' FROM moved
     ON CONFLICT DO NOTHING`,
);

/**
 * Makes a run of each job that is due. However many times were missed, they are made up for by one run; none is made while
 * the one before is unfinished.
 */
export async function planRuns(pool: Pool, names: readonly string[]): Promise<void> {
  await pool.query(PLAN([names]));
}

const TAKE = prepared(
  `WITH ended AS (
     UPDATE job_run SET state = 'stopped', finished_at = now(), lease_until = NULL
     WHERE state = 'running' AND lease_until < now() AND stop_wanted
   )
   UPDATE job_run SET state = 'running', lease_owner = $2, lease_token = nextval('job_lease'), not_before = NULL,
       lease_until = now() + $3 * interval '1 millisecond', started_at = coalesce(started_at, now())
     WHERE id = ANY (ARRAY (
       SELECT id FROM job_run
       WHERE job = ANY ($1::text[]) AND NOT stop_wanted AND ${TAKEABLE}
       ORDER BY created_at, id LIMIT ${MOST_TAKEN} FOR UPDATE SKIP LOCKED))
     RETURNING id, job, lease_token AS token, params, cursor, done, total, attempt, started_at = now()::timestamptz(3) AS "isFirst",
       (extract(epoch FROM scheduled_for) * 1000)::float8 AS "scheduledFor"`,
);

/** Takes runs that wait, and those whose worker has not been heard of for the time of its lease. */
export async function takeRuns(
  pool: Pool | PoolClient,
  names: readonly string[],
  owner: string,
  leaseMs: number,
): Promise<TakenRun[]> {
  const { rows } = await pool.query<TakenRun>(TAKE([names, owner, leaseMs]));
  return rows;
}

/** Says that the worker is alive. @returns the tokens it still holds, with whether somebody wants the run stopped. */
export async function renewLeases(
  pool: Pool,
  tokens: readonly number[],
  leaseMs: number,
): Promise<ReadonlyMap<number, boolean>> {
  const { rows } = await pool.query<{ token: number; stop: boolean }>(
    `UPDATE job_run SET lease_until = now() + $2 * interval '1 millisecond'
     WHERE state = 'running' AND lease_token = ANY ($1::bigint[]) RETURNING lease_token AS token, stop_wanted AS stop`,
    [tokens, leaseMs],
  );
  return new Map(rows.map(({ token, stop }) => [token, stop]));
}

/** Notes how far a run is. @returns false when it is not this taking's any more, or to be stopped. */
export async function noteProgress(
  tx: Pool | PoolClient,
  { id, token }: TakenRun,
  { done, total, cursor }: Progress,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE job_run SET done = $3, total = CASE WHEN $4 THEN $5 ELSE total END, cursor = coalesce($6::json, cursor),
       attempt = 0, error = NULL
     WHERE id = $1 AND lease_token = $2 AND state = 'running' AND NOT stop_wanted`,
    [id, token, done, total !== undefined, total ?? null, cursor === undefined ? null : JSON.stringify(cursor)],
  );
  return rowCount === 1;
}

/** A run that has ended. */
export interface EndedRun {
  readonly id: string;
  readonly job: string;
  readonly state: "done" | "stopped" | "failed";
  /** Things dealt with, of so many. */
  readonly done: number;
  readonly total: number | null;
  readonly error: string | null;
  /** True if somebody asked for it, and not Fieldwatch itself. */
  readonly wasRequested: boolean;
}

/**
 * Ends a run. Of scheduled runs that found nothing to do, only the latest is kept: at once, before another can begin.
 * @returns null when it isn't this taking's any more.
 */
export async function endRun(
  tx: PoolClient,
  { id, token, job }: TakenRun,
  state: "done" | "stopped" | "failed",
  error: string | null,
): Promise<EndedRun | null> {
  const { rows } = await tx.query<EndedRun>(
    `WITH ended AS (
       UPDATE job_run SET state = $3, error = $4, finished_at = now(), lease_until = NULL
       WHERE id = $1 AND lease_token = $2 AND state = 'running' RETURNING id, job, state, done, total, error, trigger, requested_by),
     swept AS (DELETE FROM job_run WHERE job = $5 AND id <> $1 AND state = 'done' AND done = 0 AND trigger = 'schedule'
       AND EXISTS (SELECT FROM ended WHERE state = 'done' AND done = 0 AND trigger = 'schedule'))
     SELECT id, job, state, done, total, error, trigger = 'request' AND requested_by IS DISTINCT FROM $6 AS "wasRequested" FROM ended`,
    [id, token, state, error, job, SYSTEM.kind],
  );
  return rows[0] ?? null;
}

/** Gives a run back, to be taken again by anybody, at once or after `waitMs`. */
export async function releaseRun(
  pool: Pool,
  { id, token }: TakenRun,
  retry: { readonly error: string; readonly waitMs: number } | null,
): Promise<void> {
  await pool.query(
    `UPDATE job_run SET state = 'waiting', lease_until = NULL, error = $3, attempt = attempt + $4,
       not_before = now() + $5 * interval '1 millisecond'
     WHERE id = $1 AND lease_token = $2 AND state = 'running'`,
    [id, token, retry?.error ?? null, retry === null ? 0 : 1, retry?.waitMs ?? 0],
  );
}

/** Removes some runs that ended before `before`, but for the latest of each job. @returns how many. */
export async function removeRunsBefore(tx: PoolClient, before: Date, limit: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM job_run WHERE id = ANY (ARRAY (
       SELECT id FROM job_run r WHERE finished_at < $1
         AND EXISTS (SELECT FROM job_run n WHERE n.job = r.job AND n.created_at > r.created_at) LIMIT $2))`,
    [before, limit],
  );
  return rowCount ?? 0;
}
