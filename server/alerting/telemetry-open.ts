import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";

const BEAT_MS = 5000;

/** Notes from now on, again and again, that this process takes messages. @returns what ends it */
export function noteOpen(
  pool: Pool,
  process: string,
  {
    accepts,
    onError,
    now = Date.now,
  }: {
    /** Resolves when they can be taken; throws when they can't. */
    accepts: () => Promise<unknown>;
    onError: (error: unknown) => void;
    now?: () => number;
  },
): () => Promise<void> {
  let since: EpochMs | null = null;
  let running = Promise.resolve();
  const beat = async () => {
    const at = now();
    try {
      await accepts();
      since ??= at;
      await pool.query(
        `INSERT INTO telemetry_open (process, since, until) VALUES ($1, $2, $3) ON CONFLICT (process, since) DO UPDATE SET until = excluded.until`,
        [process, timeText(since), timeText(at)],
      );
    } catch (error) {
      since = null;
      onError(error);
    }
  };
  const timer = setInterval(() => void (running = running.then(beat)), BEAT_MS);
  running = beat();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

export interface Open {
  readonly since: EpochMs;
  readonly until: EpochMs;
}

/** The stretches in which messages were taken by any process, from `from` on, in order. A pause of two beats is none. */
export async function readOpen(tx: Pool | PoolClient, from: EpochMs): Promise<Open[]> {
  const { rows } = await tx.query<Open>(
    `SELECT (extract(epoch FROM since) * 1000)::float8 AS since, (extract(epoch FROM until) * 1000)::float8 + ${2 * BEAT_MS} AS until
     FROM telemetry_open WHERE until >= $1 ORDER BY since`,
    [timeText(from)],
  );
  const joined: { since: EpochMs; until: EpochMs }[] = [];
  for (const { since, until } of rows) {
    const last = joined.at(-1);
    if (last && since <= last.until) last.until = Math.max(last.until, until);
    else joined.push({ since, until });
  }
  return joined;
}

/** How long messages were taken between two times, in milliseconds. Before the first stretch there is nobody knows; it counts as taken. */
export function openFor(open: readonly Open[], from: EpochMs, to: EpochMs): number {
  if (open.length === 0) return Math.max(0, to - from);
  let sum = Math.max(0, Math.min(to, open[0]!.since) - from);
  for (const { since, until } of open) sum += Math.max(0, Math.min(to, until) - Math.max(from, since));
  return sum;
}
