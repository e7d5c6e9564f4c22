import type { Pool } from "pg";
import type { TraceHandled, TraceSent } from "@/server/domain/trace";

/** How many traces are kept. */
const KEPT = 100;

/** A followed message, as far as its two sides have told. */
export interface MessageTrace {
  readonly id: string;
  readonly sent: TraceSent | null;
  readonly handled: TraceHandled | null;
}

/** Notes what the process that took the message saw, and lets the oldest traces go. */
export async function noteSent(pool: Pool, id: string, sent: TraceSent): Promise<void> {
  await pool.query(
    `INSERT INTO message_trace (id, sent) VALUES ($1, $2::json) ON CONFLICT (id) DO UPDATE SET sent = excluded.sent`,
    [id, JSON.stringify(sent)],
  );
  await letOldestGo(pool);
}

/** Notes what a worker has done with the message so far. */
export async function noteHandled(pool: Pool, id: string, handled: TraceHandled): Promise<void> {
  await pool.query(
    `INSERT INTO message_trace (id, handled) VALUES ($1, $2::json)
     ON CONFLICT (id) DO UPDATE SET handled = excluded.handled`,
    [id, JSON.stringify(handled)],
  );
  // Whoever can write to the log can make traces: they must not pile up.
  await letOldestGo(pool);
}

async function letOldestGo(pool: Pool): Promise<void> {
  await pool.query(
    `DELETE FROM message_trace WHERE created_at <
       (SELECT created_at FROM message_trace ORDER BY created_at DESC OFFSET ${KEPT - 1} LIMIT 1)`,
  );
}

/** One trace, or null when there is none of that id. */
export async function findTrace(pool: Pool, id: string): Promise<MessageTrace | null> {
  const { rows } = await pool.query<MessageTrace>("SELECT id, sent, handled FROM message_trace WHERE id = $1", [id]);
  return rows[0] ?? null;
}

/** The latest traces, newest first. */
export async function latestTraces(pool: Pool, limit: number): Promise<readonly MessageTrace[]> {
  const { rows } = await pool.query<MessageTrace>(
    "SELECT id, sent, handled FROM message_trace WHERE sent IS NOT NULL ORDER BY created_at DESC LIMIT $1",
    [limit],
  );
  return rows;
}
