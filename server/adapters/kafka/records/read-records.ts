import { createKnownTexts } from "@/server/domain/known-texts";
import type { EpochMs } from "@/server/domain/terms";
import { ingestTimeOf } from "@/server/domain/time";
import { NO_HEADERS, type RecordHeaders, type StoredRecord } from "@/server/ports/event-log";

/** What a batch's header says of all of its records. */
export interface RecordsHead {
  readonly count: number;
  readonly firstOffset: number;
  /** The time that those of the records count from. */
  readonly firstTime: number;
  /** When the log took all of them, if it stamps batches itself; null: each record has a time of its own. */
  readonly logTime: number | null;
}

/** Records aren't what Kafka's format says they are. */
export class BrokenRecordsError extends Error {
  override readonly name = "BrokenRecordsError";
}

const keys = createKnownTexts();
const NOTHING = Buffer.alloc(0);
/** Bytes of the longest number of 32 and of 64 bits, 7 bits a byte. */
const [MOST_OF_32, MOST_OF_64] = [5, 10];

/**
 * Reads the records of a batch in Kafka's format 2, decompressed: for each its length, attributes, time and offset as steps from the batch's,
 * key, value and headers (https://kafka.apache.org/documentation/#record). kafkajs does the same with a dozen objects a record.
 * @param now counts for records whose time can't be one.
 * @throws BrokenRecordsError
 */
export function readRecords(data: Buffer, head: RecordsHead, now: EpochMs): StoredRecord[] {
  const reader = new Reader(data);
  const logTime = head.logTime === null ? null : ingestTimeOf(head.logTime, now);
  const records: StoredRecord[] = [];
  for (let i = 0; i < head.count; i++) {
    const length = reader.number(MOST_OF_32);
    const end = reader.at + length;
    if (length < 0 || end > data.length) throw new BrokenRecordsError(`record ${i} is cut off`);
    // Attributes, of which Kafka has none yet.
    reader.at++;
    const time = head.firstTime + reader.number(MOST_OF_64);
    const offset = head.firstOffset + reader.number(MOST_OF_32);
    const key = reader.key();
    const value = reader.bytes() ?? NOTHING;
    const headers = readHeaders(reader);
    if (reader.at !== end) throw new BrokenRecordsError(`record ${i} has not the length it tells`);
    records.push({ offset, key, value, headers, ingestTime: logTime ?? ingestTimeOf(time, now) });
  }
  if (reader.at !== data.length) throw new BrokenRecordsError("something follows the last one");
  return records;
}

/** Headers as text; of several with one name, as Kafka allows, the last. One without a value is empty. */
function readHeaders(reader: Reader): RecordHeaders {
  const count = reader.number(MOST_OF_32);
  if (count <= 0) return NO_HEADERS;
  const headers = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const name = reader.text() ?? "";
    headers.set(name, reader.text() ?? "");
  }
  return Object.fromEntries(headers);
}

class Reader {
  at = 0;
  constructor(private readonly data: Buffer) {}

  /** Reads a signed number, zigzag in groups of 7 bits, the lowest first. Beyond 2⁵³ it is inexact. */
  number(most: number): number {
    const { data } = this;
    const first = data[this.at++];
    if (first === undefined) throw cutOff();
    let value = first & 127;
    if (first >= 128) {
      const last = this.at + most - 1;
      for (let scale = 128; ; scale *= 128) {
        if (this.at === last) throw new BrokenRecordsError("a number has no end");
        const byte = data[this.at++];
        if (byte === undefined) throw cutOff();
        value += (byte & 127) * scale;
        if (byte < 128) break;
      }
    }
    const half = Math.floor(value / 2);
    return value % 2 === 0 ? half : -half - 1;
  }

  /** Reads bytes behind their length, where they stand; null if there are none, which is not the same as none at all. */
  bytes(): Buffer | null {
    const end = this.endOfBytes();
    return end === null ? null : this.data.subarray(this.at, (this.at = end));
  }

  text(): string | null {
    const end = this.endOfBytes();
    return end === null ? null : this.data.toString("utf8", this.at, (this.at = end));
  }

  /** Reads a key, which mostly is a name that has come before. */
  key(): string | null {
    const end = this.endOfBytes();
    return end === null ? null : keys(this.data, this.at, (this.at = end));
  }

  private endOfBytes(): number | null {
    const length = this.number(MOST_OF_32);
    if (length === -1) return null;
    if (length < 0 || this.at + length > this.data.length) throw cutOff();
    return this.at + length;
  }
}

const cutOff = () => new BrokenRecordsError("it is cut off");
