import type { Pool } from "pg";
import { LogUnavailableError, NO_HEADERS, type PartitionBounds, type StoredRecord } from "@/server/ports/event-log";
import { decodeFrame, ROW_RECORDS } from "./framing";
import type { Topic } from "./topics";

/** The records found in a partition from an offset on. */
export interface FetchedRecords {
  readonly records: readonly StoredRecord[];
  readonly start: number;
  readonly end: number;
}

/**
 * Reads records of a partition from `next` on: at most `maxRecords` and `maxBytes` of keys and values, but at least
 * one if there is one. Where retention removed some, it goes on after them.
 */
export async function fetchRecords(
  pool: Pool,
  topic: Topic,
  partition: number,
  next: number,
  maxRecords: number,
  maxBytes: number,
): Promise<FetchedRecords> {
  // Offsets are dense and a row holds at most ROW_RECORDS, so the upper bound on last_offset loses nothing.
  const { rows } = await pool.query<{
    start_offset: string;
    end_offset: string;
    last_offset: string | null;
    records: number;
    ingest_time: Date;
    payload: Buffer;
  }>(
    `SELECT p.start_offset, p.end_offset, b.last_offset, b.records, b.ingest_time, b.payload
     FROM log_partition p LEFT JOIN LATERAL (
       SELECT r.*, sum(octet_length(r.payload)) OVER (ORDER BY r.last_offset) - octet_length(r.payload) AS bytes_before
       FROM log_batch r
       WHERE r.topic_id = $1 AND r.partition = $2 AND r.last_offset >= $3
         AND r.last_offset < greatest($3, p.start_offset) + $4::bigint + ${ROW_RECORDS}
     ) b ON b.bytes_before < $5
     WHERE p.topic_id = $1 AND p.partition = $2 ORDER BY b.last_offset`,
    [topic.id, partition, next, maxRecords, maxBytes],
  );
  const first = rows[0];
  if (first === undefined) throw new LogUnavailableError(`the topic ${topic.name} has changed`);

  const records: StoredRecord[] = [];
  let bytes = 0;
  rows: for (const row of rows) {
    if (row.last_offset === null) break;
    const ingestTime = row.ingest_time.getTime();
    let offset = Number(row.last_offset) - row.records;
    for (const { key, value, headers = NO_HEADERS } of decodeFrame(row.payload)) {
      offset += 1;
      if (offset < next) continue;
      bytes += value.byteLength + (key === null ? 0 : Buffer.byteLength(key));
      if (records.length > 0 && (records.length >= maxRecords || bytes > maxBytes)) break rows;
      records.push({ offset, key, value, headers, ingestTime });
    }
  }
  return { records, start: Number(first.start_offset), end: Number(first.end_offset) };
}

/** Reads the bounds of a partition. */
export async function partitionBounds(pool: Pool, topic: Topic, partition: number): Promise<PartitionBounds> {
  const { rows } = await pool.query<{ start_offset: string; end_offset: string }>(
    "SELECT start_offset, end_offset FROM log_partition WHERE topic_id = $1 AND partition = $2",
    [topic.id, partition],
  );
  const row = rows[0];
  if (row === undefined) throw new LogUnavailableError(`the topic ${topic.name} has changed`);
  return {
    ...{ cluster: topic.cluster, topicId: String(topic.id) },
    ...{ start: Number(row.start_offset), end: Number(row.end_offset) },
    // One database, no leaders that could lose what another had.
    endOfTerm: async () => null,
  };
}

/** The offset a group reads next, or null if it never committed. */
export async function committedOffset(
  pool: Pool,
  topic: Topic,
  partition: number,
  group: string,
): Promise<number | null> {
  const { rows } = await pool.query<{ next_offset: string }>(
    "SELECT next_offset FROM log_commit WHERE topic_id = $1 AND partition = $2 AND group_name = $3",
    [topic.id, partition, group],
  );
  return rows[0] === undefined ? null : Number(rows[0].next_offset);
}

/** Sets the offset a group reads next; it may also go back. */
export async function commitOffset(
  pool: Pool,
  topic: Topic,
  partition: number,
  group: string,
  next: number,
): Promise<void> {
  await pool.query(
    `INSERT INTO log_commit (topic_id, partition, group_name, next_offset) VALUES ($1, $2, $3, $4)
     ON CONFLICT (topic_id, partition, group_name) DO UPDATE SET next_offset = EXCLUDED.next_offset`,
    [topic.id, partition, group, next],
  );
}
