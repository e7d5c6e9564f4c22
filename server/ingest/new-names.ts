import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";

/** Kinds of names that senders bring into the catalog. */
export type NameKind = "device" | "metric";

/** The time over which a sender's new names are counted. */
const HOUR = `interval '1 hour'`;

/** The outcome of asking for new names. */
export interface Claimed {
  /** The names it may use; in the catalog they are only once the worker has met them. */
  readonly names: ReadonlySet<string>;
  /** When the sender may name a further one, if it asked for more than it may. */
  readonly fullUntil: EpochMs | null;
}

/**
 * Notes that a sender was the first to use names, in their order, as long as it has used fewer than `most` within the hour. Names that anybody
 * has used within the hour cost nothing. All web processes together count right, and a name counts once.
 */
export async function claimNames(
  pool: Pool,
  sender: string,
  kind: NameKind,
  names: readonly string[],
  most: number,
): Promise<Claimed> {
  return withTransaction(pool, async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.new-names.' || $1, 0))`, [sender]);
    const { rows: used } = await tx.query<{ name: string }>(
      `SELECT name FROM new_name WHERE kind = $1 AND name = ANY ($2) AND at > now() - ${HOUR}`,
      [kind, names],
    );
    const allowed = new Set(used.map(({ name }) => name));
    const fresh = names.filter((name) => !allowed.has(name));
    const { rows } = await tx.query<{ count: number; next: number | null }>(
      `SELECT count(*)::integer AS count, (extract(epoch FROM coalesce(min(at), now()) + ${HOUR}) * 1000)::float8 AS next
       FROM new_name WHERE sender = $1 AND kind = $2 AND at > now() - ${HOUR}`,
      [sender, kind],
    );
    const { count, next } = rows[0]!;
    const taken = fresh.slice(0, Math.max(0, most - count));
    // Always in the same order, so that two senders of the same names don't wait for each other.
    await tx.query(
      `INSERT INTO new_name (kind, name, sender) SELECT $1, n, $3 FROM unnest($2::text[]) AS n ORDER BY n
       ON CONFLICT (kind, name) DO UPDATE SET sender = excluded.sender, at = excluded.at WHERE new_name.at <= now() - ${HOUR}`,
      [kind, taken, sender],
    );
    for (const name of taken) allowed.add(name);
    return { names: allowed, fullUntil: taken.length < fresh.length ? next : null };
  });
}

/** Removes names that count for nobody any more, at most `limit`; returns how many. */
export async function removeClaimed(tx: PoolClient, limit: number): Promise<number> {
  const { rowCount } = await tx.query(
    `DELETE FROM new_name WHERE ctid = ANY (ARRAY (SELECT ctid FROM new_name WHERE at <= now() - ${HOUR} LIMIT $1))`,
    [limit],
  );
  return rowCount ?? 0;
}

/** The new names of each sender within the hour; senders without any are left out. */
export async function countNewNames(pool: Pool): Promise<ReadonlyMap<string, Readonly<Record<NameKind, number>>>> {
  const { rows } = await pool.query<{ sender: string; device: number; metric: number }>(
    `SELECT sender, (count(*) FILTER (WHERE kind = 'device'))::integer AS device, (count(*) FILTER (WHERE kind = 'metric'))::integer AS metric
     FROM new_name WHERE at > now() - ${HOUR} GROUP BY sender`,
  );
  return new Map(rows.map(({ sender, device, metric }) => [sender, { device, metric }]));
}
