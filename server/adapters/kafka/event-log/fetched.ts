import type { Batch } from "kafkajs";
import type { UnreadableBatch } from "@/server/domain/unreadable";
import type { LogBatch, StoredRecord } from "@/server/ports/event-log";
import { askedOffsetOf } from "../kafkajs";
import { type RecordBatch, recordSetOf } from "../records/record-set";

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

export function createFetched(): Fetched {
  let batches: RecordBatch[] = [];
  /** Records of the first batch that were taken already. */
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
    add(batch) {
      end = Number(batch.highWatermark);
      const set = recordSetOf(batch);
      unreadable = set?.unreadable ?? null;
      if (set === null) return;
      ({ reached, term } = set);
      const asked = askedOffsetOf(batch);
      for (const one of set.batches) {
        // Kafka gives whole batches: the first may begin before what was asked for.
        const isWanted = one.records.length > 0 && one.records[0]!.offset >= asked;
        const wanted = isWanted ? one.records : one.records.filter(({ offset }) => offset >= asked);
        if (wanted.length === 0) continue;
        batches.push({ ...one, records: wanted });
        records += wanted.length;
        for (const { value } of wanted) bytes += value.length;
      }
    },
    passOver(to) {
      reached = to;
      term = null;
    },
    take(maxRecords, maxBytes) {
      let [last, lastTerm]: [number | null, number | null] = [null, null];
      const chunk: StoredRecord[] = [];
      let size = 0;
      while (batches.length > 0 && chunk.length < maxRecords) {
        const batch = batches[0]!;
        const record = batch.records[taken]!;
        const { length } = record.value;
        if (chunk.length > 0 && size + length > maxBytes) break;
        chunk.push(record);
        [last, lastTerm] = [record.offset, batch.term];
        size += length;
        taken += 1;
        if (taken === batch.records.length) {
          batches.shift();
          taken = 0;
        }
      }
      records -= chunk.length;
      bytes -= size;
      const from = handed;
      // The rest after the last record goes with it, so that nothing is left over that has no record.
      const isAll = batches.length === 0 || last === null;
      handed = isAll ? reached : last! + 1;
      return { records: chunk, from, to: handed, term: isAll ? term : lastTerm };
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
