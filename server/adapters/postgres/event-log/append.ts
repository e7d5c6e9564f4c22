import type { Pool } from "pg";
import { type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { type AppendCall, type Appender, createAppender, type WriteCalls } from "../../append-queue";
import { withLogErrors } from "../errors";
import { withTransaction } from "@/server/postgres/transaction";
import { encodeFrames, type Frame } from "./framing";
import { RECORDS_CHANNEL } from "./group-key";
import { partitionOf } from "../../partitioner";
import { findTopic, type Topic } from "./topics";

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

async function insertFrames(
  pool: Pool,
  topic: Topic,
  parts: readonly { partition: number; frames: readonly Frame[] }[],
): Promise<void> {
  const payloads = parts.flatMap(({ frames }) => frames.map(({ payload }) => payload));
  const whole = payloads.length === 1 ? payloads[0]! : Buffer.concat(payloads);
  await withTransaction(
    pool,
    async (client) => {
      // The lock is kept until the commit, so offsets become visible in order; in the order of partitions, so that
      // two writers never wait for each other.
      const { rows } = await client.query<{ partition: number; end_offset: string }>(
        "SELECT partition, end_offset FROM log_partition WHERE topic_id = $1 AND partition = ANY ($2::int[]) ORDER BY partition FOR NO KEY UPDATE",
        [topic.id, parts.map(({ partition }) => partition)],
      );
      const ends = new Map(rows.map((row) => [row.partition, Number(row.end_offset)]));
      if (ends.size !== parts.length) throw new LogUnavailableError(`the topic ${topic.name} has changed`);

      const partitions: number[] = [];
      const lastOffsets: number[] = [];
      const counts: number[] = [];
      const starts: number[] = [];
      const sizes: number[] = [];
      let at = 1;
      for (const { partition, frames } of parts) {
        let end = ends.get(partition)!;
        for (const { records, payload } of frames) {
          end += records;
          partitions.push(partition);
          lastOffsets.push(end - 1);
          counts.push(records);
          starts.push(at);
          sizes.push(payload.length);
          at += payload.length;
        }
        ends.set(partition, end);
      }
      // The clock is read with the lock held: ingest times follow the offsets.
      await client.query(
        `WITH inserted AS (
           INSERT INTO log_batch (topic_id, partition, last_offset, records, ingest_time, payload)
           SELECT $1, f.partition, f.last_offset, f.records, clock_timestamp(), substring($2::bytea FROM f.start FOR f.size)
           FROM unnest($3::int[], $4::bigint[], $5::int[], $6::int[], $7::int[]) AS f (partition, last_offset, records, start, size)
         ), moved AS (
           UPDATE log_partition p SET end_offset = e.end_offset
           FROM unnest($8::int[], $9::bigint[]) AS e (partition, end_offset)
           WHERE p.topic_id = $1 AND p.partition = e.partition
         )
         SELECT pg_notify('${RECORDS_CHANNEL}', $10)`,
        [
          topic.id,
          whole,
          partitions,
          lastOffsets,
          counts,
          starts,
          sizes,
          [...ends.keys()],
          [...ends.values()],
          topic.name,
        ],
      );
    },
    topic.durable ? [] : ["SET LOCAL synchronous_commit = off"],
  );
}
