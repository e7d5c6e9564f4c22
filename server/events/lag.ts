import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";

/** The most that waited in a minute, in seconds and in messages. */
export interface MostLag {
  readonly seconds: number;
  readonly messages: number;
}

/** Writes the most that waited in a minute; of several processes that saw it the most counts. */
export async function writeLag(db: Pool | PoolClient, minute: EpochMs, { seconds, messages }: MostLag): Promise<void> {
  await db.query(
    `INSERT INTO lag_minute AS l VALUES ($1, $2, $3) ON CONFLICT (minute) DO UPDATE SET
       lag_seconds = greatest(l.lag_seconds, excluded.lag_seconds), lag = greatest(l.lag, excluded.lag)`,
    [timeText(minute), seconds, Math.round(messages)],
  );
}

/** The most that waited in each `stepMs` of a time; those of which nothing is known are left out. */
export async function readLag(
  db: Pool | PoolClient,
  from: EpochMs,
  to: EpochMs,
  stepMs: number,
): Promise<(MostLag & { readonly time: EpochMs })[]> {
  const { rows } = await db.query<MostLag & { readonly time: EpochMs }>(
    `SELECT (floor(extract(epoch FROM minute) * 1000 / $3) * $3)::float8 AS time, max(lag_seconds) AS seconds, max(lag)::float8 AS messages
     FROM lag_minute WHERE minute >= $1 AND minute < $2 GROUP BY 1 ORDER BY 1`,
    [timeText(from), timeText(to), stepMs],
  );
  return rows;
}
