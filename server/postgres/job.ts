import type { Pool, PoolClient } from "pg";
import type { Context } from "./context";

/** Work done now and then, or on request. A row of the table of jobs. */
export interface Job {
  /** The name as in addresses: `message-retention`. */
  readonly name: string;
  /** For people: "Message retention". */
  readonly title: string;
  /** Its work, in a sentence. */
  readonly about: string;
  /** What its progress counts. */
  readonly counts: Counts;
  /** Time between two runs in milliseconds; null: it runs only when asked for. */
  readonly everyMs: number | null;
  /** A run that takes longer is stopped, in milliseconds; null: it may take as long as it needs. */
  readonly limitMs: number | null;
  /** True if each step may wait a while for the pipeline to have caught up: nothing depends on when it is done. */
  readonly givesWay?: boolean;
  /**
   * Does the work, or what an earlier worker left of it. Throwing an outage makes it come again, anything else fails the run.
   * It ends soon after `ctx.signal` aborts.
   */
  readonly run: (ctx: JobContext) => Promise<void>;
}

/** What is counted, to stand after a number: "hour merged", "hours merged". */
export interface Counts {
  readonly one: string;
  readonly many: string;
}

/** The progress of a run; an absent part stays as it was. */
export interface Progress {
  /** Things dealt with since the run began. */
  readonly done: number;
  /** Null: not known. */
  readonly total?: number | null;
  /** The place where a worker that takes over goes on. */
  readonly cursor?: unknown;
}

/** The context a job is called with. */
export interface JobContext extends Context<Pool> {
  /** The run as it stood when this worker took it. */
  readonly run: {
    readonly id: string;
    readonly params: unknown;
    readonly cursor: unknown;
    readonly done: number;
    readonly total: number | null;
  };
  /**
   * Does one part and notes it in one transaction, so that no part is done twice or left out, whoever is killed.
   * @throws when the run was stopped, or another worker has taken it over: then nothing was done.
   */
  step(work: (tx: PoolClient) => Promise<Progress>): Promise<void>;
  /** Notes what was done elsewhere than in PostgreSQL; that must be harmless when repeated. @throws as `step` does. */
  note(progress: Progress): Promise<void>;
}

/** Removes part by part what `removeSome` finds, at most `chunk` at a time, each in a transaction of its own. */
export async function removeBySteps(
  ctx: JobContext,
  chunk: number,
  removeSome: (tx: PoolClient, limit: number) => Promise<number>,
): Promise<void> {
  let { done } = ctx.run;
  for (let removed = chunk; removed >= chunk;) {
    ctx.signal.throwIfAborted();
    await ctx.step(async (tx) => {
      removed = await removeSome(tx, chunk);
      return { done: done + removed };
    });
    done += removed;
  }
}

/** The same where they lie outside of PostgreSQL, or behind a port. */
export async function removeByParts(
  ctx: JobContext,
  chunk: number,
  removeSome: (limit: number) => Promise<number>,
): Promise<void> {
  let { done } = ctx.run;
  for (let removed = chunk; removed >= chunk;) {
    ctx.signal.throwIfAborted();
    removed = await removeSome(chunk);
    await ctx.note({ done: (done += removed) });
  }
}
