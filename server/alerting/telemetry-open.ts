import type { Pool, PoolClient } from "pg";
import { pause } from "@/server/async/backoff";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";

const BEAT_MS = 5000;
/** While messages aren't taken it is looked more often: whoever is silent then isn't told of it until they are. */
const CLOSED_BEAT_MS = 1000;

interface NoteOpenDeps {
  /** Resolves when messages can be taken; throws when they can't. */
  readonly accepts: () => Promise<unknown>;
  readonly onError: (error: unknown) => void;
  readonly now?: () => EpochMs;
}

/** Makes what notes that this process takes messages right now. @returns in how many milliseconds it is to be noted again */
export function createBeat(
  pool: Pick<Pool, "query">,
  process: string,
  { accepts, onError, now = Date.now }: NoteOpenDeps,
): () => Promise<number> {
  let since: EpochMs | null = null;
  return async () => {
    const at = now();
    try {
      await accepts();
      since ??= at;
      await pool.query(
        `INSERT INTO telemetry_open (process, since, until) VALUES ($1, $2, $3) ON CONFLICT (process, since) DO UPDATE SET until = excluded.until`,
        [process, timeText(since), timeText(at)],
      );
      return BEAT_MS;
    } catch (error) {
      since = null;
      onError(error);
      return CLOSED_BEAT_MS;
    }
  };
}

/** Notes from now on, again and again, that this process takes messages. @returns what ends it */
export function noteOpen(pool: Pool, process: string, deps: NoteOpenDeps): () => Promise<void> {
  const beat = createBeat(pool, process, deps);
  const ending = new AbortController();
  const running = (async () => {
    while (!ending.signal.aborted) await pause(await beat(), ending.signal);
  })();
  return async () => {
    ending.abort();
    await running;
  };
}

export interface Open {
  readonly since: EpochMs;
  readonly until: EpochMs;
}

/**
 * The stretches in which messages were taken by any process, from `from` on, in order. They end a beat after they were noted last, as they may have;
 * the last one, which goes on, two beats after.
 */
export async function readOpen(tx: Pool | PoolClient, from: EpochMs): Promise<Open[]> {
  const { rows } = await tx.query<Open>(
    `SELECT (extract(epoch FROM since) * 1000)::float8 AS since, (extract(epoch FROM until) * 1000)::float8 + ${BEAT_MS} AS until
     FROM telemetry_open WHERE until >= $1 ORDER BY since`,
    [timeText(from)],
  );
  const latest = Math.max(...rows.map(({ until }) => until));
  const joined: { since: EpochMs; until: EpochMs }[] = [];
  for (const { since, until: noted } of rows) {
    const until = noted === latest ? noted + BEAT_MS : noted;
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
