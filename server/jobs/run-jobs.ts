import type { Pool } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";

/** Work done now and then, by one process at a time. Each may be broken off and done again. */
export interface Job {
  readonly name: string;
  /** Time between two runs, in milliseconds. */
  readonly everyMs: number;
  /** @returns what it removed, for the log; null or 0 when there was nothing to do. */
  readonly run: (now: EpochMs) => Promise<number | null>;
}

/** The first run is a little after the start, when that is out of the way. */
const FIRST_MS = 5000;
const LOCK = `hashtextextended('fieldwatch.jobs', 0)`;

export interface RunJobsDeps {
  readonly pool: Pool;
  readonly jobs: readonly Job[];
  readonly logger: Logger;
  /** How soon the first run is, in milliseconds. */
  readonly firstMs?: number;
}

/** Runs each job when it is due, one at a time among all processes. A job that fails is logged and due again next time. */
export function runJobs({ pool, jobs, logger, firstMs = FIRST_MS }: RunJobsDeps): Running {
  const due = new Map(jobs.map((job) => [job, performance.now() + firstMs]));
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  function plan(): void {
    if (stopped || jobs.length === 0) return;
    const next = Math.min(...due.values());
    timer = setTimeout(
      () => {
        running = turn().then(plan);
      },
      Math.max(0, next - performance.now()),
    );
  }

  async function turn(): Promise<void> {
    const jobsDue = jobs.filter((job) => due.get(job)! <= performance.now());
    for (const job of jobsDue) due.set(job, performance.now() + job.everyMs);
    try {
      await withJobLock(pool, async () => {
        for (const job of jobsDue) if (!stopped) await runOne(job);
      });
    } catch (error) {
      logger.warn({ err: error }, "jobs could not run; they will be tried again");
    }
  }

  async function runOne(job: Job): Promise<void> {
    const start = performance.now();
    try {
      const removed = await job.run(Date.now());
      if (removed) logger.info({ job: job.name, removed, ms: Math.round(performance.now() - start) }, "job done");
    } catch (error) {
      logger.warn({ err: error, job: job.name }, "job failed; it will be tried again");
    }
  }

  plan();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** Runs `work` if no other process is at it. The lock goes with the connection if this process dies. */
async function withJobLock(pool: Pool, work: () => Promise<void>): Promise<void> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => (broken = error);
  client.on("error", onError);
  try {
    const { rows } = await client.query<{ mine: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS mine`);
    if (!rows[0]?.mine) return;
    try {
      await work();
    } finally {
      await client.query(`SELECT pg_advisory_unlock(${LOCK})`).catch((error: Error) => (broken ??= error));
    }
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}
