import type { Pool } from "pg";
import { LogUnavailableError, NO_HEADERS, type PartitionBounds, type StoredRecord } from "@/server/ports/event-log";
import { decodeFrame, ROW_RECORDS } from "./framing";
import type { Topic } from "./topics";
import { prepared } from "@/server/postgres/prepared";

/** The records found in a partition from an offset on. */
export interface FetchedRecords {
  readonly records: readonly StoredRecord[];
  readonly start: number;
  readonly end: number;
}

/** The records wanted of a partition: at most so many from an offset on. */
export interface Wanted {
  readonly partition: number;
  readonly next: number;
  readonly most: number;
}

interface FetchedRow {
  readonly partition: number;
  readonly start_offset: string;
  readonly end_offset: string;
  readonly last_offset: string | null;
  readonly records: number;
  readonly ingest_time: Date;
  readonly payload: Buffer;
}

// Offsets are dense and a row holds at most ROW_RECORDS, so the upper bound on last_offset loses nothing.
const FETCH = prepared(
  `SELECT w.partition, p.start_offset, p.end_offset, b.last_offset, b.records, b.ingest_time, b.payload
     FROM unnest($2::int[], $3::bigint[], $4::bigint[]) AS w (partition, next, most)
     JOIN log_partition p ON p.topic_id = $1 AND p.partition = w.partition
     LEFT JOIN LATERAL (
       SELECT r.*, sum(octet_length(r.payload)) OVER (ORDER BY r.last_offset) - octet_length(r.payload) AS bytes_before
       FROM log_batch r
       WHERE r.topic_id = $1 AND r.partition = w.partition AND r.last_offset >= w.next
         AND r.last_offset < greatest(w.next, p.start_offset) + w.most + ${ROW_RECORDS}
     ) b ON b.bytes_before < $5
     ORDER BY w.partition, b.last_offset`,
);

/**
 * Reads records of partitions: of each at most `most` and `maxBytes` of keys and values, but at least one if there is
 * one. Where retention removed some, it goes on after them. @returns what was found for each of `wanted`
 */
export async function fetchRecords(
  pool: Pool,
  topic: Topic,
  wanted: readonly Wanted[],
  maxBytes: number,
): Promise<FetchedRecords[]> {
  const { rows } = await pool.query<FetchedRow>(
    FETCH([
      topic.id,
      wanted.map(({ partition }) => partition),
      wanted.map(({ next }) => next),
      wanted.map(({ most }) => most),
      maxBytes,
    ]),
  );
  const byPartition = new Map<number, FetchedRow[]>();
  for (const row of rows) {
    const its = byPartition.get(row.partition);
    if (its) its.push(row);
    else byPartition.set(row.partition, [row]);
  }
  return wanted.map((one) => {
    const its = byPartition.get(one.partition);
    if (its === undefined) throw new LogUnavailableError(`the topic ${topic.name} has changed`);
    return recordsOf(its, one, maxBytes);
  });
}

function recordsOf(rows: readonly FetchedRow[], { next, most }: Wanted, maxBytes: number): FetchedRecords {
  const first = rows[0]!;
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
      if (records.length > 0 && (records.length >= most || bytes > maxBytes)) break rows;
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

// Needn't wait for the disk: after a crash that takes it, records come again, as after one just before it.
const COMMIT_OFFSETS = prepared(
  `WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
     INSERT INTO log_commit (topic_id, group_name, partition, next_offset)
     SELECT $1, $2, partition, next FROM soon, unnest($3::int[], $4::bigint[]) AS p (partition, next) ORDER BY partition
     ON CONFLICT (topic_id, partition, group_name) DO UPDATE SET next_offset = EXCLUDED.next_offset`,
);

/** Sets the offsets a group reads next; they may also go back. */
export async function commitOffsets(
  pool: Pool,
  topic: Topic,
  group: string,
  places: readonly { readonly partition: number; readonly next: number }[],
): Promise<void> {
  await pool.query(
    COMMIT_OFFSETS([topic.id, group, places.map(({ partition }) => partition), places.map(({ next }) => next)]),
  );
}
