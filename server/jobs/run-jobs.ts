import type { Pool, PoolClient } from "pg";
import { createBackoff, pause } from "@/server/async/backoff";
import { withinOr } from "@/server/async/timeout";
import { SYSTEM } from "@/server/domain/access";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";
import type { Job, JobContext } from "@/server/postgres/job";
import { isRetryable } from "@/server/postgres/error-classes";
import { withTransaction } from "@/server/postgres/transaction";
import {
  type EndedRun,
  endRun,
  isAnyWork,
  noteProgress,
  planRuns,
  registerJobs,
  releaseRun,
  renewLeases,
  takeRuns,
  type TakenRun,
} from "./runs";

export interface RunJobsDeps {
  /** For keeping the books: which runs there are, and whose. */
  readonly pool: Pool;
  /** The pool the jobs themselves work on, so that they and the rest of the worker never wait for each other. */
  readonly work: Pool;
  readonly jobs: readonly Job[];
  /** Names this worker in the runs it takes. */
  readonly owner: string;
  readonly logger: Logger;
  /** Called with runs that were taken, in the transaction that takes them. */
  readonly onTaken?: (tx: PoolClient, runs: readonly TakenRun[], jobs: ReadonlyMap<string, Job>) => Promise<void>;
  /** Called with a run that has ended, in the transaction that ends it. */
  readonly onEnd?: (tx: PoolClient, run: EndedRun, job: Job) => Promise<void>;
  /** True while the pipeline of this worker has a backlog; left out: never. */
  readonly isBusy?: () => boolean;
  /** The time from the start until a new job is first due, in milliseconds. */
  readonly firstMs?: number;
  /** The time within which a run is noticed that has become due or was asked for, in milliseconds. */
  readonly lookMs?: number;
  /** The silence after which a worker has lost its runs, in milliseconds. */
  readonly leaseMs?: number;
  /** The first wait after an outage; it doubles up to a minute. */
  readonly retryMs?: number;
  /** The time to wait for a run that was told to end, in milliseconds. */
  readonly patienceMs?: number;
}

/** A job gives way to the pipeline rather than making it wait behind a lock. */
const STEP_LOCKS = `SET LOCAL lock_timeout = '5s'`;

/** The longest that a step gives way to a backlog, in milliseconds, so that it is done under load that never ends, too. */
const MOST_WAY_MS = 5000;
const LOOK_BUSY_MS = 250;

/** The error that ends a run before it is through. */
class EndedEarly extends Error {
  override readonly name = "EndedEarly";
  constructor(readonly why: "lost" | "stopped" | "limit" | "leaving") {
    super(`the run is to end: ${why}`);
  }
}

interface Held {
  readonly ending: AbortController;
  renewedAt: number;
}

/**
 * Runs jobs when they are due or asked for. Of all workers one has a run; it goes to another when its worker isn't heard of
 * any more. Different jobs don't wait for each other. An outage makes a run wait and come again; other errors fail it.
 */
export function runJobs(deps: RunJobsDeps): Running {
  const { pool, work, jobs, owner, logger, onTaken, onEnd, isBusy = () => false } = deps;
  const { firstMs = 5000, lookMs = 1000, leaseMs = 15_000, retryMs = 1000, patienceMs = 2000 } = deps;
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const names = [...byName.keys()];
  const leaving = new AbortController();
  const held = new Map<number, Held>();
  const running = new Set<Promise<void>>();

  async function look(): Promise<void> {
    let isRegistered = false;
    let told = false;
    while (!leaving.signal.aborted) {
      try {
        if (!isRegistered) await registerJobs(pool, jobs, firstMs);
        isRegistered = true;
        if (await isAnyWork(pool, names)) {
          await planRuns(pool, names);
          for (const run of await take()) start(run);
        }
        told = false;
      } catch (error) {
        // An outage, or tables that are still to be migrated, last for many looks: once is enough.
        if (!told) logger.warn({ err: error }, "jobs could not be looked for; they will be again");
        told = true;
      }
      await pause(lookMs, leaving.signal);
    }
  }

  /** Takes runs, and tells of it if somebody wants to know. */
  function take(): Promise<readonly TakenRun[]> {
    if (onTaken === undefined) return takeRuns(pool, names, owner, leaseMs);
    return withTransaction(pool, async (tx) => {
      const runs = await takeRuns(tx, names, owner, leaseMs);
      if (runs.length > 0) await onTaken(tx, runs, byName);
      return runs;
    });
  }

  async function renew(): Promise<void> {
    while (!leaving.signal.aborted) {
      await pause(Math.min(lookMs, leaseMs / 4), leaving.signal);
      const tokens = [...held.keys()];
      const askedAt = performance.now();
      const kept = tokens.length === 0 ? null : await renewLeases(pool, tokens, leaseMs).catch(() => null);
      for (const token of tokens) {
        const one = held.get(token);
        if (!one) continue;
        if (kept?.has(token)) one.renewedAt = askedAt;
        if (kept?.get(token)) one.ending.abort(new EndedEarly("stopped"));
        // Another may have it by now, whether or not this worker could ask.
        else if (kept ? !kept.has(token) : performance.now() - one.renewedAt > leaseMs)
          one.ending.abort(new EndedEarly("lost"));
      }
    }
  }

  function start(run: TakenRun): void {
    const done = workOn(run).catch((error: unknown) =>
      logger.warn(
        { err: error, job: run.job, run: run.id },
        "the end of a run could not be noted; it will be taken again",
      ),
    );
    running.add(done);
    void done.finally(() => running.delete(done));
  }

  async function workOn(run: TakenRun): Promise<void> {
    const job = byName.get(run.job)!;
    const ending = new AbortController();
    held.set(run.token, { ending, renewedAt: performance.now() });
    if (leaving.signal.aborted) ending.abort(new EndedEarly("leaving"));
    const limit =
      job.limitMs === null ? undefined : setTimeout(() => ending.abort(new EndedEarly("limit")), job.limitMs);
    const began = performance.now();
    try {
      const error = await untilEnded(job.run(contextOf(run, job, ending.signal)), ending.signal);
      const ms = Math.round(performance.now() - began);
      await settle(run, job, error, ms);
    } finally {
      clearTimeout(limit);
      held.delete(run.token);
    }
  }

  /** The error of `working`, or null. Work that was told to end is waited for only so long: what it still does is void. */
  async function untilEnded(working: Promise<void>, signal: AbortSignal): Promise<unknown> {
    const ended = working.then(
      () => null,
      (error: unknown) => (signal.aborted ? (signal.reason as unknown) : error),
    );
    const told = aborted(signal).then(() => withinOr(patienceMs, ended, signal.reason as unknown));
    return Promise.race([ended, told]);
  }

  async function end(run: TakenRun, state: "done" | "stopped" | "failed", error: string | null): Promise<void> {
    await withTransaction(pool, async (tx) => {
      const ended = await endRun(tx, run, state, error);
      if (ended !== null) await onEnd?.(tx, ended, byName.get(run.job)!);
    });
  }

  async function settle(run: TakenRun, job: Job, error: unknown, ms: number): Promise<void> {
    const particulars = { job: job.name, run: run.id, ms };
    if (error === null) {
      await end(run, "done", null);
      logger.debug(particulars, "job done");
    } else if (error instanceof EndedEarly) {
      if (error.why === "leaving") await releaseRun(pool, run, null);
      else if (error.why === "stopped") await end(run, "stopped", null);
      else if (error.why === "limit") {
        const said = `It took longer than ${job.limitMs! / 1000} s and was stopped; what it had done stays.`;
        logger.warn(particulars, "a run took longer than its limit and was stopped");
        await end(run, "failed", said);
      }
    } else if (isRetryable(error)) {
      const waits = createBackoff({ firstMs: retryMs, maxMs: 60_000 });
      for (let i = 0; i < Math.min(run.attempt, 10); i++) waits.next();
      if (run.attempt === 0) logger.warn({ ...particulars, err: error }, "a job waits for an engine");
      await releaseRun(pool, run, { error: wordsOf(error), waitMs: waits.next() });
    } else {
      logger.error({ ...particulars, err: error }, "a job failed");
      await end(run, "failed", wordsOf(error));
    }
  }

  function contextOf(run: TakenRun, job: Job, signal: AbortSignal): JobContext {
    /** A run that could not be noted was stopped or taken over: the renewal of its lease says which of the two. */
    const assertHeld = async (isHeld: boolean) => {
      if (!isHeld) await aborted(signal);
      signal.throwIfAborted();
    };
    return {
      ...{ caller: SYSTEM, sites: "all", signal, tx: work, now: Date.now(), run },
      note: async (progress) => assertHeld(await noteProgress(pool, run, progress)),
      async step(part) {
        for (let waited = 0; job.givesWay && isBusy() && waited < MOST_WAY_MS; waited += LOOK_BUSY_MS)
          await pause(LOOK_BUSY_MS, signal);
        signal.throwIfAborted();
        await withTransaction(
          work,
          async (tx) => {
            let cancelled: Promise<void> | undefined;
            const cancel = () => {
              cancelled = cancelQuery(pool, tx);
            };
            signal.addEventListener("abort", cancel, { once: true });
            try {
              await assertHeld(await noteProgress(tx, run, await part(tx)));
            } finally {
              signal.removeEventListener("abort", cancel);
              // Else it might hit the next who gets the connection.
              await cancelled;
            }
          },
          [STEP_LOCKS],
        );
      },
    };
  }

  const loops = [look(), renew()];
  return {
    async stop() {
      leaving.abort();
      for (const { ending } of held.values()) ending.abort(new EndedEarly("leaving"));
      await Promise.all([...loops, ...running]);
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** Ends the statement that a connection of the jobs is at. */
async function cancelQuery(pool: Pool, client: PoolClient): Promise<void> {
  const { processID } = client as PoolClient & { readonly processID?: number };
  if (processID) await pool.query("SELECT pg_cancel_backend($1)", [processID]).catch(() => undefined);
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message || error.name : String(error)).slice(0, 500);
}
