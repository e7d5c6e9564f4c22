import type { Pool, PoolClient } from "pg";
import type { Signature } from "@/server/domain/access";
import { type EpochMs, TOPICS } from "@/server/domain/terms";
import type { SkippedBatch, StoppingBatch, UnreadableBatch } from "@/server/domain/unreadable";
import type { PipelinePosition } from "./positions";

const COLUMNS = `b.partition, b.from_offset::float8 AS "from", b.to_offset::float8 AS "to", b.records, b.reason, b.codec, b.detail`;
/** SQL of the batches `b` of a topic ($1) that the position `p` stands before, in the topic's latest epoch. */
const STOPPING = `FROM unreadable_batch b
  JOIN pipeline_position p USING (cluster, topic, epoch, partition)
  WHERE b.topic = $1 AND b.skipped_at IS NULL AND p.next = b.next
    AND p.epoch = (SELECT max(epoch) FROM pipeline_position WHERE cluster = b.cluster AND topic = b.topic)`;

/**
 * Notes a batch that a worker met and can't pass.
 * @returns true the first time.
 */
export async function noteUnreadable(
  pool: Pool,
  position: PipelinePosition,
  { from, to, records, reason, codec, detail }: UnreadableBatch,
): Promise<boolean> {
  const { rows } = await pool.query<{ first: boolean }>(
    `INSERT INTO unreadable_batch (cluster, topic, epoch, partition, next, from_offset, to_offset, records, reason, codec, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (cluster, topic, epoch, partition, from_offset) DO UPDATE
     SET next = excluded.next, to_offset = excluded.to_offset, records = excluded.records, reason = excluded.reason,
         codec = excluded.codec, detail = excluded.detail, seen_at = now()
     WHERE unreadable_batch.skipped_at IS NULL
     RETURNING since = seen_at AS first`,
    [
      ...[position.cluster, position.topic, position.epoch, position.partition, position.next],
      ...[from, to, records, reason, codec, detail],
    ],
  );
  return rows[0]?.first === true;
}

/** Reads the batches that stop partitions of the telemetry topic in this cluster, by partition. */
export async function readStopping(pool: Pool, cluster: string): Promise<Map<number, StoppingBatch>> {
  const { rows } = await pool.query<StoppingBatch>(
    `SELECT ${COLUMNS}, (extract(epoch FROM b.since) * 1000)::float8 AS since ${STOPPING} AND b.cluster = $2
     ORDER BY b.from_offset DESC`,
    [TOPICS.telemetry, cluster],
  );
  return new Map(rows.map((row) => [row.partition, row]));
}

/** Reads the batches that were skipped last, newest first. */
export async function readSkipped(pool: Pool, most: number): Promise<SkippedBatch[]> {
  const { rows } = await pool.query<SkippedBatch>(
    `SELECT ${COLUMNS}, (extract(epoch FROM b.skipped_at) * 1000)::float8 AS "skippedAt", coalesce((SELECT name FROM account WHERE id = b.skipped_by_account), b.skipped_by) AS "skippedBy"
     FROM unreadable_batch b WHERE b.topic = $1 AND b.skipped_at IS NOT NULL
     ORDER BY b.skipped_at DESC, b.partition, b.from_offset LIMIT $2`,
    [TOPICS.telemetry, most],
  );
  return rows;
}

/**
 * Moves the position of a partition past the batch that stops it, counts its messages as skipped, and notes by whom; all
 * or nothing. The worker begins again behind it within seconds.
 * @param shown the batch the person saw: no other is skipped.
 * @returns null when that batch doesn't stop the partition (any more).
 */
export async function skipUnreadable(
  tx: PoolClient,
  shown: Pick<UnreadableBatch, "partition" | "from" | "to">,
  by: { readonly name: string; readonly signature: Signature; readonly now: EpochMs },
): Promise<SkippedBatch | null> {
  // If several clusters are stopped at such a batch, this takes the one a worker met last.
  const { rows } = await tx.query<UnreadableBatch & PipelinePosition>(
    `SELECT ${COLUMNS}, b.cluster, b.topic, b.epoch, b.next::float8 AS next ${STOPPING}
       AND b.partition = $2 AND b.from_offset = $3 AND b.to_offset = $4
     ORDER BY b.seen_at DESC LIMIT 1`,
    [TOPICS.telemetry, shown.partition, shown.from, shown.to],
  );
  const [found] = rows;
  if (found === undefined) return null;
  const { cluster, topic, epoch, partition, next, ...batch } = found;
  const place = [cluster, topic, epoch, partition];
  const moved = await tx.query(
    `UPDATE pipeline_position SET next = $6, term = NULL, skipped = skipped + $7, updated_at = now()
     WHERE cluster = $1 AND topic = $2 AND epoch = $3 AND partition = $4 AND next = $5`,
    [...place, next, batch.to + 1, batch.records],
  );
  if (moved.rowCount !== 1) return null;
  await tx.query(
    `UPDATE unreadable_batch SET skipped_at = $6, skipped_by = $7, skipped_by_account = $8
     WHERE cluster = $1 AND topic = $2 AND epoch = $3 AND partition = $4 AND from_offset = $5`,
    [...place, batch.from, new Date(by.now), by.signature.text, by.signature.accountId],
  );
  return { partition, ...batch, skippedAt: by.now, skippedBy: by.name };
}
