import type { Pool } from "pg";
import type { ProbeHandled, ProbeSent } from "@/server/domain/probe-message";

/** The most probe messages kept. */
const KEPT = 100;

/** A followed message, as far as its two sides have told. */
export interface ProbeMessage {
  readonly id: string;
  readonly sent: ProbeSent | null;
  readonly handled: ProbeHandled | null;
}

/** Notes what the process that took the message saw, and lets the oldest go. */
export async function noteSent(pool: Pool, id: string, sent: ProbeSent): Promise<void> {
  await pool.query(
    `INSERT INTO probe_message (id, sent) VALUES ($1, $2::json) ON CONFLICT (id) DO UPDATE SET sent = excluded.sent`,
    [id, JSON.stringify(sent)],
  );
  await letOldestGo(pool);
}

/** Notes what a worker has done with the message so far. */
export async function noteHandled(pool: Pool, id: string, handled: ProbeHandled): Promise<void> {
  await pool.query(
    `INSERT INTO probe_message (id, handled) VALUES ($1, $2::json)
     ON CONFLICT (id) DO UPDATE SET handled = excluded.handled`,
    [id, JSON.stringify(handled)],
  );
  // Whoever can write to the log can make probe messages: they must not pile up.
  await letOldestGo(pool);
}

async function letOldestGo(pool: Pool): Promise<void> {
  await pool.query(
    `DELETE FROM probe_message WHERE created_at <
       (SELECT created_at FROM probe_message ORDER BY created_at DESC OFFSET ${KEPT - 1} LIMIT 1)`,
  );
}

/** One followed, or null when there is none of that id. */
export async function findProbeMessage(pool: Pool, id: string): Promise<ProbeMessage | null> {
  const { rows } = await pool.query<ProbeMessage>("SELECT id, sent, handled FROM probe_message WHERE id = $1", [id]);
  return rows[0] ?? null;
}

/** The latest probe messages, newest first. */
export async function latestProbeMessages(pool: Pool, limit: number): Promise<readonly ProbeMessage[]> {
  const { rows } = await pool.query<ProbeMessage>(
    "SELECT id, sent, handled FROM probe_message WHERE sent IS NOT NULL ORDER BY created_at DESC LIMIT $1",
    [limit],
  );
  return rows;
}
