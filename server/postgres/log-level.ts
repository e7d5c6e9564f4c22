import type { Pool, PoolClient } from "pg";
import type { LogLevel } from "@/server/domain/log-level";
import type { EpochMs } from "@/server/domain/terms";
import { prepared } from "./prepared";

/** The level somebody has set for all processes; null: each writes what it was started with. */
export interface SetLevel {
  readonly level: LogLevel | null;
  /** When it ends by itself; null: it doesn't. */
  readonly until: EpochMs | null;
}

/** A process looks for another level so often, in milliseconds. */
export const LEVEL_LOOK_MS = 5000;

const READ = prepared(
  `SELECT level, extract(epoch FROM until)::float8 * 1000 AS until FROM log_level WHERE level IS NOT NULL AND (until IS NULL OR until > now())`,
);
const SET = prepared(
  `UPDATE log_level SET level = $1, until = CASE WHEN $2::float8 IS NULL THEN NULL ELSE now() + $2::float8 * interval '1 minute' END, changed_at = now()`,
);

export async function readLogLevel(client: Pool | PoolClient): Promise<SetLevel> {
  const { rows } = await client.query<{ level: LogLevel; until: number | null }>(READ([]));
  return rows[0] ?? { level: null, until: null };
}

/** @param minutes after which each process writes again what it was started with; null: never */
export async function writeLogLevel(tx: PoolClient, level: LogLevel | null, minutes: number | null): Promise<void> {
  await tx.query(SET([level, minutes]));
}

/**
 * Calls `apply` with the level that was set, whenever it is another one than before; first if there is one at all. While PostgreSQL is away nothing
 * changes. @returns stops it.
 */
export function followLogLevel(
  pool: Pool,
  apply: (level: LogLevel | null) => void,
  everyMs: number = LEVEL_LOOK_MS,
): () => void {
  let current: LogLevel | null = null;
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const { level } = await readLogLevel(pool);
      if (level === current) return;
      current = level;
      apply(level);
    } catch {
      // It is seen once PostgreSQL is there again; that it is away, others say.
    } finally {
      isLooking = false;
    }
  };
  const looking = setInterval(() => void look(), everyMs).unref();
  void look();
  return () => clearInterval(looking);
}
