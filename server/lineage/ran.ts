import type { Pool } from "pg";
import type { EpochMs } from "@/server/domain/terms";

/** Sources told of one by one; what the others sent is added up. */
const MOST_SOURCES = 8;

/** What a source sent, and what became of it. */
export interface SourceRan {
  /** Null: those beyond {@link MOST_SOURCES}, together. */
  readonly name: string | null;
  readonly sources: number;
  /** Messages that were taken. */
  readonly messages: number;
  readonly bytes: number;
  readonly lastAt: EpochMs | null;
}

/** What a job did in its runs that are remembered. */
export interface JobRan {
  readonly job: string;
  readonly title: string;
  /** Runs that did something, or failed. */
  readonly runs: number;
  readonly failed: number;
  /** What they dealt with, in the job's own words. */
  readonly done: number;
  readonly counts: { readonly one: string; readonly many: string } | null;
  /** When the latest ended. */
  readonly lastAt: EpochMs | null;
}

/** What ran, as it was counted where it ran. */
export interface Ran {
  readonly sources: readonly SourceRan[];
  readonly totals: {
    readonly messages: number;
    readonly readings: number;
    readonly deadLetters: number;
    readonly lastAt: EpochMs | null;
  };
  readonly jobs: readonly JobRan[];
  readonly devices: number;
  /** Whether there are rollups: merging an hour under way makes none. */
  readonly rolled: { readonly minutes: boolean; readonly hours: boolean };
  /** Of metrics that have one of their own, each once. */
  readonly metricOwners: readonly string[];
  readonly lastEventAt: EpochMs | null;
  readonly cold: {
    readonly files: number;
    readonly readings: number;
    readonly bytes: number;
    readonly lastAt: EpochMs | null;
  };
}

const MS = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;

/** Reads what ran: sources by what they sent, the pipeline's totals, and these jobs. */
export async function readRan(pool: Pool, jobs: readonly string[]): Promise<Ran> {
  const { rows } = await pool.query<{ ran: Omit<Ran, "sources"> & { sources: SourceRan[] } }>(
    `WITH sent AS (
       SELECT s.name, coalesce(c.accepted, 0)::float8 AS messages, coalesce(c.bytes, 0)::float8 AS bytes, ${MS("c.last_seen")} AS "lastAt",
         row_number() OVER (ORDER BY coalesce(c.accepted, 0) DESC, s.id) AS place
       FROM source s LEFT JOIN source_count c ON c.source_id = s.id WHERE s.enabled OR coalesce(c.accepted, 0) > 0)
     SELECT json_build_object(
       'sources', (SELECT coalesce(json_agg(x ORDER BY x.place), '[]') FROM (
         SELECT CASE WHEN place <= $2 THEN name END AS name, least(place, $2 + 1) AS place, count(*) AS sources, sum(messages) AS messages,
           sum(bytes) AS bytes, max("lastAt") AS "lastAt" FROM sent GROUP BY 1, 2) AS x),
       'totals', (SELECT json_build_object('messages', coalesce(sum(messages), 0)::float8, 'readings', coalesce(sum(readings), 0)::float8,
         'deadLetters', coalesce(sum(dead_letters), 0)::float8, 'lastAt', ${MS("max(updated_at) FILTER (WHERE messages > 0)")}) FROM pipeline_position),
       'jobs', (SELECT coalesce(json_agg(x), '[]') FROM (
         SELECT j.name AS job, j.title, j.counts, count(r.id) AS runs, count(r.id) FILTER (WHERE r.state = 'failed') AS failed,
           coalesce(sum(r.done), 0)::float8 AS done, ${MS("max(r.finished_at)")} AS "lastAt"
         FROM job j LEFT JOIN job_run r ON r.job = j.name AND r.finished_at IS NOT NULL AND (r.done > 0 OR r.state <> 'done')
         WHERE j.known AND j.name = ANY ($1::text[]) GROUP BY j.name) AS x),
       'rolled', json_build_object('minutes', EXISTS (SELECT FROM rollup_minute), 'hours', EXISTS (SELECT FROM rollup_hour)),
       'devices', (SELECT count(*) FROM device), 'metricOwners', (SELECT coalesce(json_agg(DISTINCT owner ORDER BY owner), '[]') FROM metric WHERE owner IS NOT NULL), 'lastEventAt', (SELECT ${MS("max(last_event_time)")} FROM device),
       'cold', (SELECT json_build_object('files', count(*), 'readings', coalesce(sum(readings), 0)::float8, 'bytes', coalesce(sum(bytes), 0)::float8,
         'lastAt', ${MS("max(since)")}) FROM cold_file WHERE state = 'kept')) AS ran`,
    [jobs, MOST_SOURCES],
  );
  return rows[0]!.ran;
}

/** What a table takes, its parts and indexes included, and about how many rows it has: PostgreSQL's own count of them. */
export async function readTables(
  pool: Pool,
  tables: readonly string[],
): Promise<ReadonlyMap<string, { readonly bytes: number; readonly rows: number }>> {
  const { rows } = await pool.query<{ name: string; bytes: number; rows: number }>(
    `SELECT t AS name, sum(pg_total_relation_size(part))::float8 AS bytes, coalesce(sum(s.n_live_tup), 0)::float8 AS rows
     FROM unnest($1::text[]) t
     CROSS JOIN LATERAL (SELECT t::regclass AS part UNION SELECT relid FROM pg_partition_tree(t::regclass)) AS p
     LEFT JOIN pg_stat_user_tables s ON s.relid = p.part
     WHERE to_regclass(t) IS NOT NULL GROUP BY t`,
    [tables],
  );
  return new Map(rows.map(({ name, ...one }) => [name, one]));
}
