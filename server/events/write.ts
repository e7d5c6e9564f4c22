import type { Pool, PoolClient } from "pg";
import type { EventSeverity } from "@/server/domain/events/event";
import type { EpochMs } from "@/server/domain/terms";
import { timeText } from "@/server/postgres/time-text";
import { withTransaction } from "@/server/postgres/transaction";

/** A stretch that begins, or is known better. */
export interface Stretch {
  readonly kind: "probe" | "lag";
  readonly key: string;
  readonly severity: EventSeverity;
  readonly from: EpochMs;
  /** Null: it goes on. */
  readonly to: EpochMs | null;
  readonly data: object;
}

const END = "CASE WHEN $5::timestamptz IS NOT NULL THEN greatest($4::timestamptz, $5) END";

/** Writes a stretch. One of the same thing that is open already is kept: it becomes as severe as the worst that was seen, and knows the latest. */
export async function writeStretch(
  db: Pool | PoolClient,
  { kind, key, severity, from, to, data }: Stretch,
): Promise<void> {
  await db.query(
    `WITH kept AS (
       UPDATE event e SET data = $6, ended_at = ${END}, severity = CASE WHEN 'critical' IN (e.severity, $3) THEN 'critical' ELSE $3 END
       WHERE kind = $1 AND key = $2 AND ended_at IS NULL RETURNING id)
     INSERT INTO event (kind, key, severity, started_at, ended_at, data) SELECT $1, $2, $3, $4, ${END}, $6 WHERE NOT EXISTS (SELECT FROM kept)
     ON CONFLICT (kind, key) WHERE ended_at IS NULL DO NOTHING`,
    [kind, key, severity, timeText(from), to === null ? null : timeText(to), JSON.stringify(data)],
  );
}

/** Closes the open stretch of a thing, if there is one. */
export async function closeStretch(
  db: Pool | PoolClient,
  kind: Stretch["kind"],
  key: string,
  at: EpochMs,
): Promise<void> {
  await db.query(
    `UPDATE event SET ended_at = greatest(started_at, $3) WHERE kind = $1 AND key = $2 AND ended_at IS NULL`,
    [kind, key, timeText(at)],
  );
}

/** Taken before a statement, not within it: what another process noted meanwhile must be seen. */
export const ALONE = `SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.noted', 0))`;

/** Notes that another version runs than the one noted last; the first one, too. Of processes that start together one does. */
export async function noteVersion(pool: Pool, version: string): Promise<void> {
  const note = (tx: PoolClient) =>
    tx.query(
      `WITH last AS (SELECT data->>'version' AS version FROM event WHERE kind = 'deployment' AND key = 'fieldwatch' ORDER BY id DESC LIMIT 1)
       INSERT INTO event (kind, key, severity, started_at, ended_at, data)
       SELECT 'deployment', 'fieldwatch', 'info', now(), now(), jsonb_build_object('version', $1::text, 'before', (SELECT version FROM last))
       WHERE (SELECT version FROM last) IS DISTINCT FROM $1`,
      [version],
    );
  await withTransaction(pool, note, [ALONE]);
}

/** Notes how long nothing took messages before now, if that was longer than a beat may be late: nothing ran meanwhile. */
export async function noteAbsence(pool: Pool, at: EpochMs): Promise<void> {
  const note = (tx: PoolClient) =>
    tx.query(
      `INSERT INTO event (kind, key, severity, started_at, ended_at, data)
       SELECT 'process', 'fieldwatch', 'critical', until, $1, '{}' FROM (SELECT max(until) AS until FROM telemetry_open) open
       WHERE until < $1::timestamptz - interval '15 seconds'
         AND NOT EXISTS (SELECT FROM event WHERE kind = 'process' AND key = 'fieldwatch' AND started_at >= until)`,
      [timeText(at)],
    );
  await withTransaction(pool, note, [ALONE]);
}
