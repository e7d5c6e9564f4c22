import type { Pool, PoolClient } from "pg";
import { pause } from "@/server/async/backoff";
import type { EpochMs } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";
import { prepared } from "@/server/postgres/prepared";
import { timeText } from "@/server/postgres/time-text";
import { withTransaction } from "@/server/postgres/transaction";

/** A device whose silence may be too long for it. */
interface Quiet {
  readonly id: number;
  readonly lastSeen: EpochMs;
  /** Its messages' gaps that are known, and the longest of late, in milliseconds. */
  readonly gaps: number;
  readonly gapP99: number | null;
  /** Age at which its type is stale, in seconds; null: nobody has said. */
  readonly staleSeconds: number | null;
}

export interface SilenceDeps {
  readonly pool: Pool;
  /** Ingest time up to which every message was handled; null: nobody knows. Asked only while a device may be silent. */
  readonly watermark: () => Promise<EpochMs | null>;
  /** Makes what says whether a device has been silent for longer than is usual for it, while messages were taken. */
  readonly judge: (pool: Pool, watermark: EpochMs) => Promise<(device: Quiet) => boolean>;
  /** The silence of a device of which nothing better is known, the least of any other, both in milliseconds, and the gaps after which it is known. */
  readonly usual: { readonly staleMs: number; readonly leastMs: number; readonly gapsKnown: number };
}

/** A device that is silent for longer than is usual for it, by the clock alone: parameters 1 to 3 are {@link SilenceDeps.usual}. */
const UNUSUAL = `d.last_seen <= now() - interval '1 ms' * (CASE WHEN d.stale_seconds IS NOT NULL THEN greatest($2::float8, 10000.0 * d.stale_seconds) WHEN d.gaps >= $3::integer AND d.gap_p99 IS NOT NULL THEN greatest($2::float8, 3 * d.gap_p99::float8) ELSE $1::float8 END)
  AND NOT EXISTS (SELECT FROM event e WHERE e.kind = 'silence' AND e.ended_at IS NULL AND e.key = d.id::text)`;

// Devices that are removed have nothing that could end it.
const BACK = prepared(
  `UPDATE event e SET ended_at = greatest(e.started_at, coalesce(b.at, now())) FROM (
     SELECT o.id, d.last_seen AS at FROM event o LEFT JOIN device d ON d.id = o.device_id
     WHERE o.kind = 'silence' AND o.ended_at IS NULL AND (d.id IS NULL OR d.last_seen > o.started_at)) b
   WHERE e.id = b.id AND e.ended_at IS NULL`,
);
const ANY_QUIET = prepared(`SELECT FROM device d WHERE ${UNUSUAL} LIMIT 1`);

/**
 * Remembers which devices fell silent and which are back: two statements while nobody does, three however many do. What there is says all of it, so a turn
 * that was killed is made up for by the next, and two at once write it once.
 */
export async function followSilences({ pool, watermark, judge, usual }: SilenceDeps): Promise<void> {
  const limits = [usual.staleMs, usual.leastMs, usual.gapsKnown];
  await pool.query(BACK([]));
  if ((await pool.query(ANY_QUIET(limits))).rowCount === 0) return;
  const until = await watermark();
  if (until === null) return;
  const isSilent = await judge(pool, until);
  await withTransaction(pool, async (tx) => {
    const silent = (await readQuiet(tx, limits)).filter(isSilent);
    if (silent.length === 0) return;
    await tx.query(
      `INSERT INTO event (kind, key, device_id, device_name, site_id, site_name, severity, started_at)
       SELECT 'silence', d.id::text, d.id, d.name, d.site_id, s.name, 'warning', d.last_seen
       FROM device d LEFT JOIN site s ON s.id = d.site_id
       JOIN unnest($1::integer[], $2::timestamptz[]) AS n (id, seen) ON n.id = d.id AND d.last_seen <= n.seen
       ON CONFLICT (kind, key) WHERE ended_at IS NULL DO NOTHING`,
      [silent.map(({ id }) => id), silent.map(({ lastSeen }) => timeText(lastSeen + 1))],
    );
  });
}

async function readQuiet(tx: PoolClient, limits: readonly number[]): Promise<Quiet[]> {
  const { rows } = await tx.query<Quiet>(
    `SELECT d.id, d.gaps, d.gap_p99::float8 AS "gapP99", d.stale_seconds AS "staleSeconds", (extract(epoch FROM d.last_seen) * 1000)::float8 AS "lastSeen" FROM device d WHERE ${UNUSUAL}`,
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
