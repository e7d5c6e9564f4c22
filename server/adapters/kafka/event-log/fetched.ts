import type { Batch, KafkaMessage } from "kafkajs";
import type { StoredRecord } from "@/server/ports/event-log";

/** Records of one partition that were fetched and wait to be handled. */
export interface Fetched {
  readonly records: number;
  /** Bytes of their values. */
  readonly bytes: number;
  /** End of the partition at the last fetch. */
  readonly end: number;
  add(batch: Batch): void;
  /** Takes the first ones, within the bounds; a single larger record comes alone. */
  take(maxRecords: number, maxBytes: number): StoredRecord[];
  clear(): void;
}

const NOTHING = Buffer.alloc(0);

export function createFetched(): Fetched {
  let batches: (readonly KafkaMessage[])[] = [];
  /** Messages of the first batch that were taken already. */
  let taken = 0;
  let records = 0;
  let bytes = 0;
  let end = 0;

  return {
    get records() {
      return records;
    },
    get bytes() {
      return bytes;
    },
    get end() {
      return end;
    },
    add({ messages, highWatermark }) {
      end = Number(highWatermark);
      if (messages.length === 0) return;
      batches.push(messages);
      records += messages.length;
      for (const { value } of messages) bytes += value?.length ?? 0;
    },
    take(maxRecords, maxBytes) {
      const chunk: StoredRecord[] = [];
      let size = 0;
      while (batches.length > 0 && chunk.length < maxRecords) {
        const messages = batches[0]!;
        const message = messages[taken]!;
        const length = message.value?.length ?? 0;
        if (chunk.length > 0 && size + length > maxBytes) break;
        chunk.push(storedRecord(message));
        size += length;
        taken += 1;
        if (taken === messages.length) {
          batches.shift();
          taken = 0;
        }
      }
      records -= chunk.length;
      bytes -= size;
      return chunk;
    },
    clear() {
      batches = [];
      taken = records = bytes = 0;
    },
  };
}

function storedRecord({ offset, key, value, timestamp }: KafkaMessage): StoredRecord {
  return {
    offset: Number(offset),
    key: key === null ? null : key.toString(),
    value: value ?? NOTHING,
    ingestTime: Number(timestamp),
  };
}
