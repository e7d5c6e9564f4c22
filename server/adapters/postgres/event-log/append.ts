import type { Pool } from "pg";
import { type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { withLogErrors } from "../errors";
import { inTransaction } from "../transaction";
import { encodeFrames, type Frame } from "./framing";
import { RECORDS_CHANNEL } from "./group-key";
import { partitionOf } from "../../partitioner";
import { findTopic, type Topic } from "./topics";

/** Calls are merged into one transaction up to these bounds; a single larger call has one to itself. */
const COMMIT_RECORDS = 20_000;
const COMMIT_BYTES = 8 * 1024 * 1024;

interface Waiting {
  readonly records: readonly LogRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Appender {
  append(topic: string, records: readonly LogRecord[]): Promise<void>;
  /** Waits until nothing is in flight. */
  idle(): Promise<void>;
}

/** Appends with one transaction in flight per topic; what comes meanwhile shares the next one. */
export function createAppender(pool: Pool): Appender {
  const queues = new Map<string, ReturnType<typeof createTopicQueue>>();
  return {
    async append(topic, records) {
      if (records.length === 0) return;
      let queue = queues.get(topic);
      if (queue === undefined) queues.set(topic, (queue = createTopicQueue(pool, topic)));
      await queue.push(records);
    },
    async idle() {
      await Promise.all([...queues.values()].map((queue) => queue.idle()));
    },
  };
}

function createTopicQueue(pool: Pool, name: string) {
  let waiting: Waiting[] = [];
  let writing: Promise<void> | null = null;
  let topic: Topic | null = null;
  let turn = Math.floor(Math.random() * 1024);

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const calls = takeCalls();
      try {
        topic ??= await withLogErrors(() => findTopic(pool, name));
        await write(topic, calls);
        for (const { resolve } of calls) resolve();
      } catch (error) {
        topic = null;
        for (const { reject } of calls) reject(error);
      }
    }
    // In the same turn as the last look at the queue: a call that comes later starts anew.
    writing = null;
  }

  function takeCalls(): Waiting[] {
    let records = 0;
    let bytes = 0;
    let count = 0;
    while (count < waiting.length) {
      const call = waiting[count]!;
      records += call.records.length;
      for (const { value } of call.records) bytes += value.byteLength;
      if (count > 0 && (records > COMMIT_RECORDS || bytes > COMMIT_BYTES)) break;
      count += 1;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return taken;
  }

  async function write(to: Topic, calls: readonly Waiting[]): Promise<void> {
    const byPartition = new Map<number, LogRecord[]>();
    for (const { records } of calls) {
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

  return {
    push(records: readonly LogRecord[]): Promise<void> {
      return new Promise<void>((resolve, reject) => {
        waiting.push({ records, resolve, reject });
        writing ??= writeAll();
      });
    },
    async idle(): Promise<void> {
      await writing;
    },
  };
}

async function insertFrames(
  pool: Pool,
  topic: Topic,
  parts: readonly { partition: number; frames: readonly Frame[] }[],
): Promise<void> {
  const payloads = parts.flatMap(({ frames }) => frames.map(({ payload }) => payload));
  const whole = payloads.length === 1 ? payloads[0]! : Buffer.concat(payloads);
  const begin = topic.durable ? "BEGIN" : "BEGIN; SET LOCAL synchronous_commit = off";
  await inTransaction(
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
    begin,
  );
}
