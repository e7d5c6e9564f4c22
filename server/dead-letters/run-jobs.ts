import { setTimeout as delay } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import { type DeadLetterJobRow, endDeadLetterJob, unfinishedDeadLetterJobs } from "./dead-letter-jobs";
import { isRetryable } from "@/server/postgres/error-classes";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { EventLog } from "@/server/ports/event-log";
import { createGiveBack } from "./give-back";
import { workOnJob } from "./work-on-job";

/** How soon a new job is seen, and another process takes over from one that died, in milliseconds. */
const LOOK_MS = 1000;
/** How often claims are looked through for those that led to nothing. */
const GIVE_BACK_MS = 10_000;
const LOCK = `hashtextextended('fieldwatch.dead-letter-jobs', 0)`;

export interface DeadLetterJobsDeps {
  readonly pool: Pool;
  readonly deadLetters: Pick<DeadLetters, "find" | "change" | "count">;
  readonly eventLog: Pick<EventLog, "append" | "describe">;
  readonly logger: Logger;
  readonly lookMs?: number;
  readonly giveBackMs?: number;
  readonly claimMs?: number;
}

/**
 * Works on the jobs for many dead letters, and gives back claims that led to nothing. One process at a time does; the others
 * wait to take over. A job goes on where it stood, whoever died.
 */
export function runDeadLetterJobs(deps: DeadLetterJobsDeps): Running {
  const { pool, logger, lookMs = LOOK_MS, giveBackMs = GIVE_BACK_MS } = deps;
  const giveBack = createGiveBack({ ...deps, now: Date.now });
  const stopping = new AbortController();

  let told = false;

  async function takeTurns(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await withLock(pool, keepWorking);
      } catch (error) {
        // An outage, or tables that are still to be migrated, last for many looks: once is enough.
        if (!told && !stopping.signal.aborted)
          logger.warn({ err: error }, "dead letter jobs could not run; they will be tried again");
        told = true;
      }
      await pause();
    }
  }

  /** Works until this process stops or loses the lock. */
  async function keepWorking(isMine: () => Promise<void>): Promise<void> {
    const leaving = new AbortController();
    const signal = AbortSignal.any([stopping.signal, leaving.signal]);
    const running = new Map<string, Promise<void>>();
    let giveBackAt = 0;
    try {
      while (!signal.aborted) {
        await isMine();
        told = false;
        for (const job of await unfinishedDeadLetterJobs(pool)) {
          if (running.has(job.id)) continue;
          running.set(
            job.id,
            work(job, signal).finally(() => running.delete(job.id)),
          );
        }
        if (performance.now() >= giveBackAt) {
          giveBackAt = performance.now() + giveBackMs;
          await giveBackClaims();
        }
        await pause();
      }
    } finally {
      leaving.abort();
      await Promise.all(running.values());
    }
  }

  async function work(job: DeadLetterJobRow, signal: AbortSignal): Promise<void> {
    try {
      await workOnJob({ ...deps, lookMs }, job, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isRetryable(error)) {
        logger.warn({ err: error, job: job.id }, "a dead letter job waits for an engine");
        return;
      }
      logger.error({ err: error, job: job.id }, "a dead letter job failed");
      await endDeadLetterJob(pool, job.id, "failed", (error as Error).message).catch(() => false);
    }
  }

  async function giveBackClaims(): Promise<void> {
    try {
      const count = await giveBack();
      if (count > 0) logger.info({ count }, "dead letters were claimed but never sent: open again");
    } catch (error) {
      if (!isRetryable(error)) throw error;
      logger.debug({ err: error }, "claims could not be looked through; an engine is away");
    }
  }

  const pause = () => delay(lookMs, undefined, { signal: stopping.signal }).catch(() => {});

  const turns = takeTurns();
  return {
    async stop() {
      stopping.abort();
      await turns;
    },
  };
}

/** Runs `work` if no other process is at it. The lock goes with the connection; `isMine` throws once that is gone. */
async function withLock(pool: Pool, work: (isMine: () => Promise<void>) => Promise<void>): Promise<void> {
  const client: PoolClient = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error) => (broken = error);
  client.on("error", onError);
  try {
    const { rows } = await client.query<{ mine: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS mine`);
    if (!rows[0]?.mine) return;
    try {
      await work(async () => {
        await client.query("SELECT 1");
      });
    } finally {
      await client.query(`SELECT pg_advisory_unlock(${LOCK})`).catch((error: Error) => (broken ??= error));
    }
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}
