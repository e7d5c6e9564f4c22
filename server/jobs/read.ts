import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { Counts } from "@/server/postgres/job";

/** A run as it is kept. */
export interface RunRow {
  readonly id: string;
  readonly job: string;
  readonly trigger: "schedule" | "request";
  readonly requestedBy: string | null;
  readonly state: "waiting" | "running" | "done" | "stopped" | "failed";
  /** True if it runs and was told to end. */
  readonly stopWanted: boolean;
  readonly params: unknown;
  readonly cursor: unknown;
  readonly done: number;
  readonly total: number | null;
  /** Failures in a row. */
  readonly attempt: number;
  /** Time of the next try; null unless it waits for one. */
  readonly notBefore: EpochMs | null;
  readonly worker: string | null;
  readonly createdAt: EpochMs;
  readonly startedAt: EpochMs | null;
  readonly finishedAt: EpochMs | null;
  readonly error: string | null;
}

/** A job with its unfinished run and its latest finished one. */
export interface JobRow {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** Null until a worker of this version has said it. */
  readonly counts: Counts | null;
  readonly everyMs: number | null;
  readonly paused: boolean;
  readonly nextAt: EpochMs | null;
  /** Unfinished runs. */
  readonly unfinished: number;
  readonly current: RunRow | null;
  readonly last: RunRow | null;
}

const at = (column: string, name: string) => `(extract(epoch FROM ${column}) * 1000)::bigint AS "${name}"`;

const COLUMNS = `id, job, trigger, coalesce((SELECT name FROM account WHERE id = requested_by_account), requested_by) AS "requestedBy", state, stop_wanted AS "stopWanted", params, cursor, done, total, attempt,
  CASE WHEN state = 'waiting' THEN (extract(epoch FROM not_before) * 1000)::bigint END AS "notBefore", lease_owner AS worker,
  ${at("created_at", "createdAt")}, ${at("started_at", "startedAt")}, ${at("finished_at", "finishedAt")}, error`;

/** Every job there is, in order of title; `name` narrows it to one. */
export async function readJobs(tx: Pool | PoolClient, name?: string): Promise<JobRow[]> {
  const { rows } = await tx.query<JobRow>(
    `SELECT j.name, j.title, j.about, j.counts, j.every_ms AS "everyMs", j.paused, ${at("j.next_at", "nextAt")},
       (SELECT count(*)::integer FROM job_run r WHERE r.job = j.name AND r.state IN ('waiting', 'running')) AS unfinished,
       (SELECT row_to_json(c) FROM (SELECT ${COLUMNS} FROM job_run r WHERE r.job = j.name AND r.state IN ('waiting', 'running')
         ORDER BY state, created_at LIMIT 1) c) AS current,
       (SELECT row_to_json(l) FROM (SELECT ${COLUMNS} FROM job_run r WHERE r.job = j.name AND r.finished_at IS NOT NULL
         ORDER BY finished_at DESC, id LIMIT 1) l) AS last
     FROM job j WHERE known AND ($1::text IS NULL OR name = $1) ORDER BY title`,
    [name ?? null],
  );
  return rows;
}

/** Runs of a job, newest first; those that haven't ended come before. With some sites only runs that are about no others. */
export async function readRuns(tx: Pool | PoolClient, job: string, sites: Sites, limit: number): Promise<RunRow[]> {
  const { condition, values } = about(sites);
  const { rows } = await tx.query<RunRow>(
    `SELECT ${COLUMNS} FROM job_run WHERE job = $1 ${condition} ORDER BY (finished_at IS NULL) DESC, created_at DESC, id LIMIT $2`,
    [job, limit, ...values],
  );
  return rows;
}

/** One run of a job, or null; with some sites only if it is about no others. */
export async function readRun(tx: Pool | PoolClient, job: string, sites: Sites, id: string): Promise<RunRow | null> {
  const { condition, values } = about(sites);
  const { rows } = await tx.query<RunRow>(`SELECT ${COLUMNS} FROM job_run WHERE job = $1 AND id = $2 ${condition}`, [
    job,
    id,
    ...values,
  ]);
  return rows[0] ?? null;
}

/** The condition that a run is about these sites and no others, by the `sites` of its params. Parameters 1 and 2 are taken. */
function about(sites: Sites): { condition: string; values: unknown[] } {
  if (sites === "all") return { condition: "", values: [] };
  const own = "params::jsonb -> 'sites'";
  return {
    condition: `AND jsonb_typeof(${own}) = 'array' AND ${own} <@ $3::jsonb`,
    values: [JSON.stringify(sites)],
  };
}
