import type { ConnectionString } from "./client";
import type { Pool } from "pg";
import { withinOr } from "@/server/async/timeout";
import type { Logger } from "@/server/observability/logger";
import { createPool } from "./connection";

/** Connections for the jobs of one worker: few, so that jobs leave the server to the pipeline. */
const SIZE = 3;
/** Jobs work in parts, each far below this. */
const STATEMENT_MS = 15_000;
const END_MS = 2000;

export interface JobPool {
  readonly pool: Pool;
  /** Ends what is still under way, and lets go of every connection. */
  close(): Promise<void>;
}

/** Opens connections that jobs alone use, so that they and the rest of a worker never wait for each other's. */
export function openJobPool(connectionString: ConnectionString, role: string, logger: Logger): JobPool {
  const pool = createPool(connectionString, { role: `${role} jobs`, logger, size: SIZE, statementMs: STATEMENT_MS });
  return {
    pool,
    async close() {
      if (pool.totalCount > pool.idleCount) await cancelOthers(pool);
      await withinOr(END_MS, pool.end(), undefined);
    },
  };
}

async function cancelOthers(pool: Pool): Promise<void> {
  const cancelled = pool.query(
    `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
     WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid() AND usename = current_user`,
  );
  await withinOr(
    END_MS,
    cancelled.catch(() => undefined),
    undefined,
  );
}
