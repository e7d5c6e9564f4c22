import type { Pool } from "pg";

/** Rows of log_batch removed per statement. */
const CHUNK = 1000;

/**
 * Makes the function that removes records older than their topic's retention, read or not, as Kafka does by itself.
 * It moves the start of a partition, never its end; each of its parts is one short statement.
 * @returns how many records each part removed.
 */
export function createPostgresLogRetention(pool: Pool): () => AsyncGenerator<number> {
  return async function* () {
    const { rows } = await pool.query<{ topic_id: number; partition: number }>(
      "SELECT topic_id, partition FROM log_partition ORDER BY topic_id, partition",
    );
    for (const { topic_id, partition } of rows) {
      for (;;) {
        const chunk = await removeChunk(pool, topic_id, partition);
        yield chunk.records;
        if (chunk.rows < CHUNK) break;
      }
    }
  };
}

async function removeChunk(pool: Pool, topicId: number, partition: number): Promise<{ rows: number; records: number }> {
  // Only a run of expired rows at the start: a clock set back must not make a hole.
  const { rows } = await pool.query<{ rows: number; records: string }>(
    `WITH oldest AS (
       SELECT b.last_offset, b.ingest_time < now() - t.retention_ms * interval '1 millisecond' AS expired
       FROM log_batch b JOIN log_topic t ON t.id = b.topic_id
       WHERE b.topic_id = $1 AND b.partition = $2 ORDER BY b.last_offset LIMIT ${CHUNK}
     ), gone AS (
       DELETE FROM log_batch b USING oldest o
       WHERE b.topic_id = $1 AND b.partition = $2 AND b.last_offset = o.last_offset AND o.expired
         AND NOT EXISTS (SELECT 1 FROM oldest k WHERE NOT k.expired AND k.last_offset < o.last_offset)
       RETURNING b.last_offset, b.records
     ), moved AS (
       UPDATE log_partition SET start_offset = greatest(start_offset, (SELECT max(last_offset) + 1 FROM gone))
       WHERE topic_id = $1 AND partition = $2 AND EXISTS (SELECT 1 FROM gone)
     )
     SELECT count(*)::int AS rows, coalesce(sum(records), 0) AS records FROM gone`,
    [topicId, partition],
  );
  return { rows: rows[0]?.rows ?? 0, records: Number(rows[0]?.records ?? 0) };
}
