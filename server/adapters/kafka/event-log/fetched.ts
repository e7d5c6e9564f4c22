import type { Batch, IHeaders, KafkaMessage } from "kafkajs";
import type { UnreadableBatch } from "@/server/domain/unreadable";
import type { EpochMs } from "@/server/domain/terms";
import { ingestTimeOf } from "@/server/domain/time";
import { type LogBatch, NO_HEADERS, type RecordHeaders, type StoredRecord } from "@/server/ports/event-log";
import { type EndMark, termOf, type UnreadableMark } from "../records/record-set";

/** The records fetched from one partition that wait to be handled. */
export interface Fetched {
  readonly records: number;
  /** Bytes of their values. */
  readonly bytes: number;
  /** End of the partition at the last fetch. */
  readonly end: number;
  /** The batch after the waiting records, if it can't be read. */
  readonly unreadable: Omit<UnreadableBatch, "partition"> | null;
  /** Up to here the log was fetched. */
  readonly reached: number;
  /** True while a stretch of the log waits, with records or without. */
  readonly waits: boolean;
  add(batch: Batch): void;
  /** Up to before `to` nothing more is to be delivered. */
  passOver(to: number): void;
  /** Takes the first records, within the bounds; a single larger one comes alone. */
  take(maxRecords: number, maxBytes: number): Pick<LogBatch, "records" | "from" | "to" | "term">;
  /** Forgets all; what is fetched next begins at `from`. */
  begin(from: number): void;
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
  let handed = 0;
  let reached = 0;
  let term: number | null = null;

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
    get reached() {
      return reached;
    },
    get waits() {
      return reached > handed;
    },
    add({ messages: fetched, highWatermark }) {
      end = Number(highWatermark);
      const mark = fetched.at(-1) as Partial<UnreadableMark & EndMark> | undefined;
      unreadable = mark?.unreadable ?? null;
      const isMark = unreadable !== null || mark?.reached !== undefined;
      const messages = isMark ? fetched.slice(0, -1) : fetched;
      const last = messages.at(-1);
      reached = mark?.reached ?? unreadable?.from ?? (last === undefined ? reached : Number(last.offset) + 1);
      term = mark?.term ?? (last === undefined ? null : termOf(last));
      if (messages.length === 0) return;
      batches.push(messages);
      records += messages.length;
      for (const { value } of messages) bytes += value?.length ?? 0;
    },
    passOver(to) {
      reached = to;
      term = null;
    },
    take(maxRecords, maxBytes) {
      let last: KafkaMessage | undefined;
      const chunk: StoredRecord[] = [];
      let size = 0;
      const now = Date.now();
      while (batches.length > 0 && chunk.length < maxRecords) {
        const messages = batches[0]!;
        const message = messages[taken]!;
        const length = message.value?.length ?? 0;
        if (chunk.length > 0 && size + length > maxBytes) break;
        chunk.push(storedRecord(message, now));
        last = message;
        size += length;
        taken += 1;
        if (taken === messages.length) {
          batches.shift();
          taken = 0;
        }
      }
      records -= chunk.length;
      bytes -= size;
      const from = handed;
      // The rest after the last record goes with it, so that nothing is left over that has no record.
      const isAll = batches.length === 0 || last === undefined;
      handed = isAll ? reached : Number(last!.offset) + 1;
      return { records: chunk, from, to: handed, term: isAll ? term : termOf(last!) };
    },
    begin(from) {
      batches = [];
      taken = records = bytes = 0;
      unreadable = null;
      handed = reached = from;
      term = null;
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
