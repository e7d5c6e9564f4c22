import type { Pool, PoolClient } from "pg";
import type { Caller, Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";

/** The context that every verb and every job is called with, before anything of its own. */
export interface Context<Tx extends Pool | PoolClient = Pool> {
  readonly caller: Caller;
  /** The sites whose things the call is about: where the caller holds the permission it takes. A job's are all. */
  readonly sites: Sites;
  /** Aborted when nobody waits for the outcome any more. */
  readonly signal: AbortSignal;
  /** The target of SQL: the one transaction of a call that writes; for a call that only reads, the pool. */
  readonly tx: Tx;
  /** The moment of the call; all that it reads and writes is as of then. */
  readonly now: EpochMs;
}

/** A call that writes: everything it does through `tx` happens at once, or not at all. */
export type WritingContext = Context<PoolClient>;
