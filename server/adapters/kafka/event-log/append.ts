import type { Message } from "kafkajs";
import { type Appender, createAppender, headerBytes, type WriteCalls } from "@/server/adapters/append-queue";
import { partitionOf } from "@/server/adapters/partitioner";
import type { LogRecord, RecordHeaders } from "@/server/ports/event-log";
import type { AdminConnections } from "./admin";
import type { ProducerConnection, Sending } from "./producer";
import { partitionsOf } from "./topics";

/** Calls are merged into one send up to these bounds. */
const MERGED = { records: 20_000, bytes: 8 * 1024 * 1024 };
/**
 * Most of one partition in one send, which is one batch to Kafka. The broker refuses batches above 1 MiB; this is counted
 * before compression and leaves room for what surrounds the records.
 */
const BATCH_BYTES = 900_000;
const BATCH_RECORDS = 10_000;
/** The most bytes that surround a record's key and value, and a header's name and value. */
const RECORD_OVERHEAD = 32;
const HEADER_OVERHEAD = 10;
const METADATA_MS = 3000;

interface AppenderDeps {
  readonly admins: AdminConnections;
  readonly producer: ProducerConnection;
  /** The age at which the known number of partitions of a topic is asked for again, in milliseconds. */
  readonly metadataMaxAge: number;
}

/** Appends through one idempotent producer, with one send in flight per topic. */
export function createKafkaAppender(deps: AppenderDeps): Appender {
  return createAppender((topic) => openTopic(deps, topic), MERGED);
}

function openTopic({ admins, producer, metadataMaxAge }: AppenderDeps, topic: string): WriteCalls {
  let known: { partitions: number; until: number } | null = null;
  let turn = Math.floor(Math.random() * 1024);

  async function partitionCount(): Promise<number> {
    if (known !== null && performance.now() < known.until) return known.partitions;
    const partitions = (
      await admins.of(topic).ask(`the partitions of ${topic}`, METADATA_MS, (it) => partitionsOf(it, topic))
    ).length;
    if (known !== null && known.partitions !== partitions) producer.forget();
    known = { partitions, until: performance.now() + metadataMaxAge };
    return partitions;
  }

  return async (calls) => {
    try {
      const partitions = await partitionCount();
      const placed = calls.map((records) => ({ records, keyless: turn++ % partitions }));
      for (const sending of sendingsOf(topic, placed, partitions)) await producer.send(sending);
    } catch (error) {
      known = null;
      throw error;
    }
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
  /** For each partition, the round its next record goes to, and how much of the partition that round holds. */
  const fill = new Map<number, { round: number; bytes: number; records: number }>();
  for (const { records, keyless } of calls) {
    for (const { key, value, headers } of records) {
      const partition = key === null ? keyless : partitionOf(key, partitions);
      const bytes = RECORD_OVERHEAD + value.byteLength + (key === null ? 0 : Buffer.byteLength(key)) + sizeOf(headers);
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
      const message: Message = { key, value: bufferOf(value), partition, ...(headers && { headers: { ...headers } }) };
      if (list === undefined) round.byPartition.set(partition, [message]);
      else list.push(message);
    }
  }
  return rounds.map((round) => ({ topic, ...round }));
}

function sizeOf(headers: RecordHeaders | undefined): number {
  return headers === undefined ? 0 : headerBytes(headers) + HEADER_OVERHEAD * Object.keys(headers).length;
}

/** The same bytes as a Buffer, which is all kafkajs takes; nothing is copied. */
function bufferOf(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
