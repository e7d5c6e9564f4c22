import type { Batch, IHeaders, KafkaMessage } from "kafkajs";
import type { UnreadableBatch } from "@/server/domain/unreadable";
import type { EpochMs } from "@/server/domain/terms";
import { ingestTimeOf } from "@/server/domain/time";
import { NO_HEADERS, type RecordHeaders, type StoredRecord } from "@/server/ports/event-log";
import type { UnreadableMark } from "../records/record-set";

/** Records of one partition that were fetched and wait to be handled. */
export interface Fetched {
  readonly records: number;
  /** Bytes of their values. */
  readonly bytes: number;
  /** End of the partition at the last fetch. */
  readonly end: number;
  /** What comes after the records that wait, if that is a batch that can't be read. */
  readonly unreadable: Omit<UnreadableBatch, "partition"> | null;
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
  let unreadable: Fetched["unreadable"] = null;

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
    get unreadable() {
      return unreadable;
    },
    add({ messages: fetched, highWatermark }) {
      end = Number(highWatermark);
      const mark = fetched.at(-1) as Partial<UnreadableMark> | undefined;
      unreadable = mark?.unreadable ?? null;
      const messages = unreadable === null ? fetched : fetched.slice(0, -1);
      if (messages.length === 0) return;
      batches.push(messages);
      records += messages.length;
      for (const { value } of messages) bytes += value?.length ?? 0;
    },
    take(maxRecords, maxBytes) {
      const chunk: StoredRecord[] = [];
      let size = 0;
      const now = Date.now();
      while (batches.length > 0 && chunk.length < maxRecords) {
        const messages = batches[0]!;
        const message = messages[taken]!;
        const length = message.value?.length ?? 0;
        if (chunk.length > 0 && size + length > maxBytes) break;
        chunk.push(storedRecord(message, now));
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
      unreadable = null;
    },
  };
}

function storedRecord({ offset, key, value, headers, timestamp }: KafkaMessage, now: EpochMs): StoredRecord {
  return {
    offset: Number(offset),
    key: key === null ? null : key.toString(),
    value: value ?? NOTHING,
    headers: headersOf(headers),
    ingestTime: ingestTimeOf(Number(timestamp), now),
  };
}

/** Headers as text; of several with one name, as Kafka allows, the last. One without a value is empty. */
function headersOf(headers: IHeaders | undefined): RecordHeaders {
  if (headers === undefined) return NO_HEADERS;
  const names = Object.keys(headers);
  if (names.length === 0) return NO_HEADERS;
  return Object.fromEntries(
    names.map((name) => {
      const values = headers[name];
      return [name, (Array.isArray(values) ? values.at(-1) : values)?.toString() ?? ""];
    }),
  );
}
