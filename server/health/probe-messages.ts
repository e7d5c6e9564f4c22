import type { Pool } from "pg";
import type { Sites } from "@/server/domain/access";
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

/** One followed, or null when there is none of that id from a device at these sites. */
export async function findProbeMessage(pool: Pool, sites: Sites, id: string): Promise<ProbeMessage | null> {
  const { condition, values } = fromDevicesAt(sites);
  const { rows } = await pool.query<ProbeMessage>(
    `SELECT id, sent, handled FROM probe_message WHERE id = $1 ${condition}`,
    [id, ...values],
  );
  return rows[0] ?? null;
}

/** The latest probe messages from devices at these sites, newest first. */
export async function latestProbeMessages(pool: Pool, sites: Sites, limit: number): Promise<readonly ProbeMessage[]> {
  const { condition, values } = fromDevicesAt(sites);
  const { rows } = await pool.query<ProbeMessage>(
    `SELECT id, sent, handled FROM probe_message WHERE sent IS NOT NULL ${condition} ORDER BY created_at DESC LIMIT $1`,
    [limit, ...values],
  );
  return rows;
}

/** The condition for some sites, which is parameter 2. */
function fromDevicesAt(sites: Sites): { condition: string; values: unknown[] } {
  if (sites === "all") return { condition: "", values: [] };
  return {
    condition: "AND sent ->> 'device' IN (SELECT name FROM device WHERE site_id = ANY ($2::integer[]))",
    values: [sites],
  };
}

/** True if the device is at one of these sites now. */
export async function isAt(pool: Pool, sites: readonly number[], device: string): Promise<boolean> {
  const { rowCount } = await pool.query("SELECT FROM device WHERE name = $1 AND site_id = ANY ($2::integer[])", [
    device,
    sites,
  ]);
  return rowCount !== 0;
}
