import type { Message } from "kafkajs";
import { partitionOf } from "@/server/adapters/partitioner";
import type { LogRecord } from "@/server/ports/event-log";
import type { AdminConnection } from "./admin";
import type { ProducerConnection, Sending } from "./producer";
import { partitionsOf } from "./topics";

/** Calls are merged into one send up to these bounds; a single larger call has sends to itself. */
const SEND_RECORDS = 20_000;
const SEND_BYTES = 8 * 1024 * 1024;
/**
 * Most of one partition in one send, which is one batch to Kafka. The broker refuses batches above 1 MiB; this is counted
 * before compression and leaves room for what surrounds the records.
 */
const BATCH_BYTES = 900_000;
const BATCH_RECORDS = 10_000;
/** What surrounds a record's key and value, at most. */
const RECORD_OVERHEAD = 32;
const METADATA_MS = 3000;

interface Waiting {
  readonly records: readonly LogRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface Appender {
  append(topic: string, records: readonly LogRecord[]): Promise<void>;
  /** Waits until nothing is in flight. */
  idle(): Promise<void>;
}

interface AppenderDeps {
  readonly admin: AdminConnection;
  readonly producer: ProducerConnection;
  /** How old the known number of partitions of a topic may be, in milliseconds. */
  readonly metadataMaxAge: number;
}

/** Appends with one send in flight per topic; what comes meanwhile shares the next one. */
export function createAppender(deps: AppenderDeps): Appender {
  const queues = new Map<string, ReturnType<typeof createTopicQueue>>();
  return {
    async append(topic, records) {
      if (records.length === 0) return;
      let queue = queues.get(topic);
      if (queue === undefined) queues.set(topic, (queue = createTopicQueue(deps, topic)));
      await queue.push(records);
    },
    async idle() {
      await Promise.all([...queues.values()].map((queue) => queue.idle()));
    },
  };
}

function createTopicQueue({ admin, producer, metadataMaxAge }: AppenderDeps, topic: string) {
  let waiting: Waiting[] = [];
  let writing: Promise<void> | null = null;
  let known: { partitions: number; until: number } | null = null;
  let turn = Math.floor(Math.random() * 1024);

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const calls = takeCalls();
      try {
        const partitions = await partitionCount();
        const placed = calls.map(({ records }) => ({ records, keyless: turn++ % partitions }));
        for (const sending of sendingsOf(topic, placed, partitions)) await producer.send(sending);
        for (const { resolve } of calls) resolve();
      } catch (error) {
        known = null;
        for (const { reject } of calls) reject(error);
      }
    }
    // In the same turn as the last look at the queue: a call that comes later starts anew.
    writing = null;
  }

  async function partitionCount(): Promise<number> {
    if (known !== null && performance.now() < known.until) return known.partitions;
    const partitions = (await admin.ask(`the partitions of ${topic}`, METADATA_MS, (it) => partitionsOf(it, topic)))
      .length;
    if (known !== null && known.partitions !== partitions) producer.forget();
    known = { partitions, until: performance.now() + metadataMaxAge };
    return partitions;
  }

  function takeCalls(): Waiting[] {
    let records = 0;
    let bytes = 0;
    let count = 0;
    while (count < waiting.length) {
      const call = waiting[count]!;
      records += call.records.length;
      for (const { value } of call.records) bytes += value.byteLength;
      if (count > 0 && (records > SEND_RECORDS || bytes > SEND_BYTES)) break;
      count += 1;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return taken;
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

/**
 * Parts calls into sends in which no partition has more than one batch may hold. What is left over of a partition goes
 * into the next send, so each partition keeps its order.
 */
export function sendingsOf(
  topic: string,
  calls: readonly { readonly records: readonly LogRecord[]; readonly keyless: number }[],
  partitions: number,
): Sending[] {
  const rounds: { byPartition: Map<number, Message[]>; bytes: number }[] = [];
  /** By partition: the round its next record goes to, and what that round has of it. */
  const fill = new Map<number, { round: number; bytes: number; records: number }>();
  for (const { records, keyless } of calls) {
    for (const { key, value } of records) {
      const partition = key === null ? keyless : partitionOf(key, partitions);
      const bytes = RECORD_OVERHEAD + value.byteLength + (key === null ? 0 : Buffer.byteLength(key));
      let place = fill.get(partition);
      if (place === undefined) fill.set(partition, (place = { round: 0, bytes: 0, records: 0 }));
      if (place.records > 0 && (place.bytes + bytes > BATCH_BYTES || place.records >= BATCH_RECORDS)) {
        place.round += 1;
        place.bytes = 0;
        place.records = 0;
      }
      place.bytes += bytes;
      place.records += 1;
      const round = (rounds[place.round] ??= { byPartition: new Map(), bytes: 0 });
      round.bytes += bytes;
      const list = round.byPartition.get(partition);
      const message: Message = { key, value: bufferOf(value), partition };
      if (list === undefined) round.byPartition.set(partition, [message]);
      else list.push(message);
    }
  }
  return rounds.map((round) => ({ topic, ...round }));
}

/** The same bytes as a Buffer, which is all kafkajs takes; nothing is copied. */
function bufferOf(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
