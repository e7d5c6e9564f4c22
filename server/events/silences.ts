import type { Pool, PoolClient } from "pg";
import { pause } from "@/server/async/backoff";
import { SILENT_AFTER } from "@/server/domain/device-state";
import type { EpochMs } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";
import { prepared } from "@/server/postgres/prepared";
import { timeText } from "@/server/postgres/time-text";
import { withTransaction } from "@/server/postgres/transaction";

/** A device that may be overdue for longer than is usual for it. */
interface Quiet {
  readonly id: number;
  readonly lastSeen: EpochMs;
  /** The silences at which it is stale and silent, in milliseconds. */
  readonly staleMs: number;
  readonly silentMs: number;
}

export interface SilenceDeps {
  readonly pool: Pool;
  /** Ingest time up to which every message was handled; null: nobody knows. Asked only while a device may be overdue. */
  readonly watermark: () => Promise<EpochMs | null>;
  /** Makes what says whether a silence that began then has lasted so many milliseconds in which messages were taken. */
  readonly judge: (pool: Pool, watermark: EpochMs) => Promise<(since: EpochMs, afterMs: number) => boolean>;
  /** The age at which a device is stale of whose type nobody has said another, and the least of any, both in milliseconds. */
  readonly usual: { readonly staleMs: number; readonly leastMs: number };
}

/** The ages of the list of devices, but none that is usual for the device, or too short for any. Parameters 1 and 2 are {@link SilenceDeps.usual}. */
const STALE_MS = `CASE WHEN d.stale_seconds IS NOT NULL THEN greatest($2::float8, 1000.0 * d.stale_seconds) ELSE greatest($1::float8, $2, coalesce(3 * d.gap_p99::float8, 0)) END`;
const SILENT_MS = `greatest(${STALE_MS}, ${SILENT_AFTER} * coalesce(1000.0 * d.stale_seconds, $1))`;

/** Devices that are stale by the clock alone and of which nothing is open, and those that are silent and were stale. LIMIT keeps it to a look into the index for each. */
const QUIET = `FROM device d LEFT JOIN LATERAL (
    SELECT coalesce(data->>'state', 'silent') AS state FROM event WHERE kind = 'silence' AND ended_at IS NULL AND key = d.id::text LIMIT 1) e ON true
  WHERE d.last_seen <= now() - interval '1 ms' * ${STALE_MS}
    AND (e.state IS NULL OR (e.state = 'stale' AND d.last_seen <= now() - interval '1 ms' * ${SILENT_MS}))`;

// Devices that are removed have nothing that could end it.
const BACK = prepared(
  `UPDATE event e SET ended_at = greatest(e.started_at, coalesce(b.at, now())) FROM (
     SELECT o.id, d.last_seen AS at FROM event o LEFT JOIN device d ON d.id = o.device_id
     WHERE o.kind = 'silence' AND o.ended_at IS NULL AND (d.id IS NULL OR d.last_seen > o.started_at)) b
   WHERE e.id = b.id AND e.ended_at IS NULL`,
);
const ANY_QUIET = prepared(`SELECT ${QUIET} LIMIT 1`);

/**
 * Remembers which devices went stale, which of them fell silent, and which are back, an event for each from its last message on: two statements while
 * nobody does, three however many do. What there is says all of it, so a turn that was killed is made up for by the next, and two at once write it once.
 */
export async function followSilences({ pool, watermark, judge, usual }: SilenceDeps): Promise<void> {
  const limits = [usual.staleMs, usual.leastMs];
  await pool.query(BACK([]));
  if ((await pool.query(ANY_QUIET(limits))).rowCount === 0) return;
  const until = await watermark();
  if (until === null) return;
  const lasted = await judge(pool, until);
  await withTransaction(pool, async (tx) => {
    const overdue = (await readQuiet(tx, limits)).flatMap(({ id, lastSeen, staleMs, silentMs }) => {
      if (!lasted(lastSeen, staleMs)) return [];
      return [{ id, lastSeen, state: lasted(lastSeen, silentMs) ? "silent" : "stale" }];
    });
    if (overdue.length === 0) return;
    await tx.query(
      `INSERT INTO event AS e (kind, key, device_id, device_name, site_id, site_name, severity, started_at, data)
       SELECT 'silence', d.id::text, d.id, d.name, d.site_id, s.name, CASE n.state WHEN 'silent' THEN 'warning' ELSE 'info' END, d.last_seen, jsonb_build_object('state', n.state)
       FROM device d LEFT JOIN site s ON s.id = d.site_id
       JOIN unnest($1::integer[], $2::timestamptz[], $3::text[]) AS n (id, seen, state) ON n.id = d.id AND d.last_seen <= n.seen
       ON CONFLICT (kind, key) WHERE ended_at IS NULL DO UPDATE SET severity = excluded.severity, data = excluded.data
       WHERE e.data->>'state' = 'stale' AND excluded.data->>'state' = 'silent'`,
      [
        overdue.map(({ id }) => id),
        overdue.map(({ lastSeen }) => timeText(lastSeen + 1)),
        overdue.map(({ state }) => state),
      ],
    );
  });
}

async function readQuiet(tx: PoolClient, limits: readonly number[]): Promise<Quiet[]> {
  const { rows } = await tx.query<Quiet>(
    `SELECT d.id, (extract(epoch FROM d.last_seen) * 1000)::float8 AS "lastSeen", (${STALE_MS})::float8 AS "staleMs", (${SILENT_MS})::float8 AS "silentMs" ${QUIET}`,
    [...limits],
  );
  return rows;
}

/** Does so again and again. While the database is away it waits: what it has says the same later. */
export function runSilences(deps: SilenceDeps & { readonly logger: Logger; readonly everyMs?: number }): Running {
  const { logger, everyMs = 10_000 } = deps;
  const leaving = new AbortController();
  const loop = (async () => {
    while (!leaving.signal.aborted) {
      await followSilences(deps).catch((error: unknown) =>
        logger.debug({ err: error }, "it could not be remembered which devices are silent; it will be"),
      );
      await pause(everyMs, leaving.signal);
    }
  })();
  return {
    async stop() {
      leaving.abort();
      await loop;
    },
  };
}
