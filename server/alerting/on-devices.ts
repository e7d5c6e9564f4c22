import { randomInt } from "node:crypto";
import type { PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { loadWatched, type Loading } from "./load";
import type { Instance, Watched } from "./watched";
import { writeDecisions } from "./write";

/** A device whose row is locked. */
export interface Held {
  readonly watched: Watched;
  /** Latest event time; null: it has none. */
  readonly latest: EpochMs | null;
  /** Ingest time of its latest message. */
  readonly lastSeen: EpochMs | null;
  /** Ingest time of its goodbye, if that is the last of it. */
  readonly goneAt: EpochMs | null;
  readonly gaps: number;
  readonly gapP99: number | null;
  /** Age at which its type is stale; null: nobody has said. */
  readonly staleSeconds: number | null;
}

const MOST_MARK = 2 ** 48 - 1;

/**
 * Decides something of devices apart from their readings: locks them as the pipeline does, loads how they stand, and writes what `decide` changes.
 * Workers that remember them read them again.
 */
export async function onDevices(
  tx: PoolClient,
  ids: readonly number[],
  loading: Loading,
  decide: (held: readonly Held[], changed: Map<Instance, Watched>) => void | Promise<void>,
): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await tx.query<{ id: number } & Omit<Held, "watched">>(
    `SELECT id, (extract(epoch FROM last_event_time) * 1000)::float8 AS latest, (extract(epoch FROM last_seen) * 1000)::float8 AS "lastSeen",
       (extract(epoch FROM gone_at) * 1000)::float8 AS "goneAt", gaps, gap_p99 AS "gapP99", stale_seconds AS "staleSeconds" FROM device WHERE id = ANY ($1::integer[]) ORDER BY id FOR NO KEY UPDATE`,
    [ids],
  );
  const changed = new Map<Instance, Watched>();
  const wanted = rows.map(({ id, latest }) => ({ id, mark: -1, until: latest }));
  const loaded = await loadWatched(tx, wanted, loading, changed);
  const held = rows.flatMap(({ id, ...row }) => {
    const watched = loaded.get(id);
    return watched ? [{ watched, ...row }] : [];
  });
  await decide(held, changed);
  if (changed.size === 0) return;
  await writeDecisions(tx, changed);
  await tx.query(`UPDATE device SET judged = $2 WHERE id = ANY ($1::integer[])`, [
    [...new Set([...changed.values()].map(({ id }) => id))],
    randomInt(MOST_MARK),
  ]);
}
