import type { Pool } from "pg";
import { type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { type AppendCall, type Appender, createAppender, type WriteCalls } from "../../append-queue";
import { withLogErrors } from "../errors";
import { encodeFrames, type Frame } from "./framing";
import { MOST_ENDS, recordsChannel } from "./group-key";
import { partitionOf } from "../../partitioner";
import { findTopic, type Topic } from "./topics";
import { prepared } from "@/server/postgres/prepared";

/** Calls are merged into one transaction up to these bounds. */
const MERGED = { records: 20_000, bytes: 8 * 1024 * 1024 };

/** Appends with one transaction in flight per topic. */
export function createPostgresAppender(pool: Pool): Appender {
  return createAppender((topic) => openTopic(pool, topic), MERGED);
}

function openTopic(pool: Pool, name: string): WriteCalls {
  let topic: Topic | null = null;
  let turn = Math.floor(Math.random() * 1024);

  async function write(to: Topic, calls: readonly AppendCall[]): Promise<void> {
    const byPartition = new Map<number, LogRecord[]>();
    for (const records of calls) {
      const keyless = turn++ % to.partitions;
      for (const record of records) {
        const partition = record.key === null ? keyless : partitionOf(record.key, to.partitions);
        const list = byPartition.get(partition);
        if (list === undefined) byPartition.set(partition, [record]);
        else list.push(record);
      }
    }
    const frames = [...byPartition].map(([partition, records]) => ({ partition, frames: encodeFrames(records) }));
    await withLogErrors(() => insertFrames(pool, to, frames));
  }

  return async (calls) => {
    try {
      topic ??= await withLogErrors(() => findTopic(pool, name));
      await write(topic, calls);
    } catch (error) {
      topic = null;
      throw error;
    }
  };
}

// The lock is kept until the commit, so offsets become visible in order; in the order of partitions, so that two writers
// never wait for each other. The clock is read with the locks held: ingest times follow the offsets.
const APPEND = prepared(
  `WITH locked AS MATERIALIZED (
       SELECT partition, end_offset FROM log_partition
       WHERE topic_id = $1 AND partition = ANY ($2::int[]) ORDER BY partition FOR NO KEY UPDATE
     ), whole AS MATERIALIZED (SELECT count(*) = cardinality($2::int[]) AS is FROM locked
     ), inserted AS (
       INSERT INTO log_batch (topic_id, partition, last_offset, records, ingest_time, payload)
       SELECT $1, f.partition, l.end_offset + f.up_to - 1, f.records, clock_timestamp(), substring($4::bytea FROM f.start FOR f.size)
       FROM unnest($5::int[], $6::bigint[], $7::int[], $8::int[], $9::int[]) AS f (partition, up_to, records, start, size)
       JOIN locked l USING (partition) WHERE (SELECT whole.is FROM whole)
     ), moved AS (
       UPDATE log_partition p SET end_offset = l.end_offset + e.added
       FROM unnest($2::int[], $3::bigint[]) AS e (partition, added) JOIN locked l USING (partition)
       WHERE p.topic_id = $1 AND p.partition = l.partition AND (SELECT whole.is FROM whole)
       RETURNING p.partition, p.end_offset
     )
     SELECT whole.is AS "isWhole", pg_notify($10, CASE WHEN cardinality($2::int[]) > ${MOST_ENDS} THEN ''
         ELSE (SELECT string_agg(partition || ' ' || end_offset, ',') FROM moved) END),
       set_config('synchronous_commit', CASE WHEN $11 THEN current_setting('synchronous_commit') ELSE 'off' END, true) FROM whole`,
);

async function insertFrames(
  pool: Pool,
  topic: Topic,
  parts: readonly { partition: number; frames: readonly Frame[] }[],
): Promise<void> {
  const payloads = parts.flatMap(({ frames }) => frames.map(({ payload }) => payload));
  const whole = payloads.length === 1 ? payloads[0]! : Buffer.concat(payloads);
  const frames: { partition: number; upTo: number; records: number; start: number; size: number }[] = [];
  const added: number[] = [];
  let start = 1;
  for (const { partition, frames: its } of parts) {
    let upTo = 0;
    for (const { records, payload } of its) {
      upTo += records;
      frames.push({ partition, upTo, records, start, size: payload.length });
      start += payload.length;
    }
    added.push(upTo);
  }
  const { rows } = await pool.query<{ isWhole: boolean }>(
    APPEND([
      topic.id,
      parts.map(({ partition }) => partition),
      added,
      whole,
      frames.map(({ partition }) => partition),
      frames.map(({ upTo }) => upTo),
      frames.map(({ records }) => records),
      frames.map((frame) => frame.start),
      frames.map(({ size }) => size),
      recordsChannel(topic.id),
      topic.durable,
    ]),
  );
  if (rows[0]?.isWhole !== true) throw new LogUnavailableError(`the topic ${topic.name} has changed`);
}
