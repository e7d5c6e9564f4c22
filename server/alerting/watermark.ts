import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import type { TopicState } from "@/server/ports/event-log";
import { timeText } from "@/server/postgres/time-text";

/** Ingest times are of other machines' clocks. */
const SKEW_MS = 2000;

/**
 * Moves the ingest watermark of partitions of which everything was handled that had come when `log` was described.
 * @param askedAt when that was asked for
 */
export async function moveWatermarks(tx: Pool | PoolClient, log: TopicState, askedAt: EpochMs): Promise<void> {
  await tx.query(
    `UPDATE pipeline_position p SET ingest_watermark = $5
     FROM unnest($3::integer[], $4::bigint[]) AS n (partition, "end")
     WHERE p.cluster = $1 AND p.topic = $2 AND p.partition = n.partition AND p.next >= n.end
       AND p.epoch = (SELECT max(epoch) FROM pipeline_position o WHERE o.cluster = p.cluster AND o.topic = p.topic AND o.partition = p.partition)
       AND p.ingest_watermark IS DISTINCT FROM $5`,
    [
      ...[log.cluster, log.topic, log.partitions.map(({ partition }) => partition)],
      ...[log.partitions.map(({ end }) => end), timeText(askedAt - SKEW_MS)],
    ],
  );
}

/** Ingest time up to which every message was handled; null: nobody knows. */
export async function readWatermark(tx: Pool | PoolClient, log: TopicState): Promise<EpochMs | null> {
  const { rows } = await tx.query<{ at: EpochMs | null; count: number }>(
    `SELECT (extract(epoch FROM min(ingest_watermark)) * 1000)::float8 AS at, count(ingest_watermark)::integer AS count FROM (
       SELECT DISTINCT ON (partition) ingest_watermark FROM pipeline_position
       WHERE cluster = $1 AND topic = $2 AND partition = ANY ($3::integer[]) ORDER BY partition, epoch DESC) AS newest`,
    [log.cluster, log.topic, log.partitions.map(({ partition }) => partition)],
  );
  return rows[0]!.count === log.partitions.length ? rows[0]!.at : null;
}
