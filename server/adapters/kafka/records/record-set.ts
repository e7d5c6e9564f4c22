import { createRequire } from "node:module";
import type { Batch, KafkaMessage } from "kafkajs";
import { ingestTimeOf } from "@/server/domain/time";
import type { UnreadableBatch, UnreadableReason } from "@/server/domain/unreadable";
import { NO_HEADERS, type StoredRecord } from "@/server/ports/event-log";
import { type AbortedTransaction, type BatchOrigin, withoutAborted } from "./aborted";
import { CODECS, MOST_BYTES, TooLargeError } from "./decompress";
import { readRecords } from "./read-records";

const require = createRequire(import.meta.url);
const { Decoder, decodeOldRecords, crc32c } = internalsOf("kafkajs/src/protocol");

/** The most records of a batch: as objects they take much more memory than their bytes. */
const MOST_RECORDS = 500_000;
/** The smallest record: a byte each for its length, attributes, time, offset, key, value and headers. */
const LEAST_RECORD_BYTES = 7;
/** Bytes of a batch's first offset and its length, which counts the rest. */
const BATCH_START = 12;
const BATCH_HEADER = 61;
const MAGIC = 2;
/** Bits of a batch's attributes. */
const [LOG_APPEND_TIME, TRANSACTIONAL, CONTROL] = [0x8, 0x10, 0x20];

/** The records of one of Kafka's batches, in the order of their offsets. */
export interface RecordBatch {
  readonly records: readonly StoredRecord[];
  /** The epoch of the partition's leader in which they were written; null in Kafka's old formats. */
  readonly term: number | null;
}

/** What a fetch brought of a partition. */
export interface RecordSet {
  readonly batches: readonly RecordBatch[];
  /** Before this offset there is nothing else to deliver: other records were aborted, or compacted away. */
  readonly reached: number;
  /** The term at its end; null where that isn't known. */
  readonly term: number | null;
  /** The batch that it ends at, as it can't be read; null: there is none. */
  readonly unreadable: Omit<UnreadableBatch, "partition"> | null;
}

/**
 * A record set as kafkajs passes it on: one message, at the set's last offset. It makes nothing of it, where it would look at every record several
 * times, tell nothing of a set of control and aborted records alone, and wait for ever before batches that compaction left empty.
 */
type Carrier = KafkaMessage & {
  readonly set: RecordSet & { readonly batches: readonly DecodedBatch[] };
};

interface DecodedBatch extends RecordBatch, BatchOrigin {}

/** What kafkajs passed on of a fetch; null where there was nothing. */
export function recordSetOf({ messages }: Batch): RecordSet | null {
  return (messages.at(-1) as Carrier | undefined)?.set ?? null;
}

class Unreadable extends Error {
  constructor(
    readonly reason: UnreadableReason,
    message: string,
  ) {
    super(message);
  }
}

/** Bytes that the partitions of one answer were decompressed to, together; the rest of an answer waits for the next one. */
const decompressed = new WeakMap<object, number>();

/**
 * Reads the records of one partition in Kafka's answer to a fetch. Unlike that of kafkajs it never throws for what a
 * batch holds, which would cost the batches of all other partitions: the first batch that can't be read ends the set.
 */
async function decodeRecordSet(answer: KafkaDecoder): Promise<KafkaMessage[]> {
  const size = answer.readInt32();
  if (size <= 0 || !answer.canReadBytes(size)) return [];
  const set = answer.readBytes(size);
  const batches: DecodedBatch[] = [];
  let last: Buffer | undefined;
  for (let at = 0; at + BATCH_HEADER <= set.length;) {
    const end = at + BATCH_START + set.readInt32BE(at + 8);
    const isCut = end > set.length;
    // Kafka cuts an answer off where it is full, but never in its first batch.
    if (isCut && at > 0) break;
    if (set[at + 16]! < MAGIC && at > 0) break;
    const batch = set.subarray(at, end);
    try {
      if (isCut || end < at + BATCH_HEADER) throw new Unreadable("brokenRecords", "it is cut off");
      if (set[at + 16]! < MAGIC) return oldSet(await decodeOldRecords(new Decoder(set), set.length));
      if (batches.length > 0 && (decompressed.get(answer) ?? 0) >= MOST_BYTES) break;
      batches.push(await decodeBatch(batch, answer));
      last = batch;
    } catch (error) {
      const unreadable = unreadableBatch(batch, error);
      return [
        carrier({ batches, reached: unreadable.from, term: batches.at(-1)?.term ?? null, unreadable }, unreadable.to),
      ];
    }
    at = end;
  }
  if (last === undefined) return [];
  const lastOffset = Number(last.readBigInt64BE(0)) + Math.max(0, last.readInt32BE(23));
  return [carrier({ batches, reached: lastOffset + 1, term: last.readInt32BE(12), unreadable: null }, lastOffset)];
}

/** Header of a batch: offset 0 first offset, 8 length, 12 leader's epoch, 16 magic, 17 CRC of all from 21, attributes, 23 last offset, … */
async function decodeBatch(batch: Buffer, answer: object): Promise<DecodedBatch> {
  if (batch[16] !== MAGIC) throw new Unreadable("brokenRecords", `Kafka has no message format ${batch[16]}`);
  if (crc32c(batch.subarray(21)) !== batch.readUInt32BE(17)) throw new Unreadable("wrongChecksum", "");
  const attributes = batch.readInt16BE(21);
  const count = batch.readInt32BE(57);
  const data = await contentOf(batch, attributes, answer);
  if (count > MOST_RECORDS) throw new Unreadable("tooLarge", `${count} records, and ${MOST_RECORDS} are the most`);
  if (count < 0 || count * LEAST_RECORD_BYTES > data.length)
    throw new Unreadable("brokenRecords", `there can't be ${count} in ${data.length} bytes`);
  const head = {
    count,
    firstOffset: Number(batch.readBigInt64BE(0)),
    firstTime: Number(batch.readBigInt64BE(27)),
    logTime: attributes & LOG_APPEND_TIME ? Number(batch.readBigInt64BE(35)) : null,
  };
  return {
    records: readRecords(data, head, Date.now()),
    term: batch.readInt32BE(12),
    firstOffset: head.firstOffset,
    producerId: String(batch.readBigInt64BE(43)),
    isTransactional: (attributes & TRANSACTIONAL) > 0,
    isControl: (attributes & CONTROL) > 0,
  };
}

/** Record sets of Kafka before 0.11, which have neither terms nor transactions. */
function oldSet(messages: readonly KafkaMessage[]): KafkaMessage[] {
  const last = messages.at(-1);
  if (last === undefined) return [];
  const now = Date.now();
  const records = messages.map(({ offset, key, value, timestamp }) => ({
    offset: Number(offset),
    key: key === null ? null : key.toString(),
    value: value ?? Buffer.alloc(0),
    headers: NO_HEADERS,
    ingestTime: ingestTimeOf(Number(timestamp), now),
  }));
  const origin = { firstOffset: records[0]!.offset, producerId: "-1", isTransactional: false, isControl: false };
  const lastOffset = Number(last.offset);
  const set = { batches: [{ records, term: null, ...origin }], reached: lastOffset + 1, term: null, unreadable: null };
  return [carrier(set, lastOffset)];
}

async function contentOf(batch: Buffer, attributes: number, answer: object): Promise<Buffer> {
  const content = batch.subarray(BATCH_HEADER);
  const number = attributes & 7;
  if (number === 0) return content;
  const codec = CODECS.get(number);
  if (codec === undefined) throw new Unreadable("unknownCodec", "");
  try {
    const data = await codec.decompress(content, MOST_BYTES);
    decompressed.set(answer, (decompressed.get(answer) ?? 0) + data.length);
    return data;
  } catch (error) {
    const isLarge = error instanceof TooLargeError;
    throw new Unreadable(isLarge ? "tooLarge" : "undecompressable", error instanceof Error ? error.message : "");
  }
}

/** @param lastOffset after which kafkajs fetches on. */
function carrier(set: Carrier["set"], lastOffset: number): Carrier {
  return { offset: String(lastOffset), key: null, value: null, timestamp: "0", attributes: 0, headers: {}, set };
}

function unreadableBatch(batch: Buffer, error: unknown): Omit<UnreadableBatch, "partition"> {
  const from = Number(batch.readBigInt64BE(0));
  const offsets = Math.max(0, batch.readInt32BE(23)) + 1;
  const count = batch.readInt32BE(57);
  const codec = batch.readInt16BE(21) & 7;
  return {
    from,
    to: from + offsets - 1,
    records: count > 0 && count <= offsets ? count : offsets,
    reason: error instanceof Unreadable ? error.reason : "brokenRecords",
    codec: codec === 0 ? null : (CODECS.get(codec)?.name ?? String(codec)),
    detail: error instanceof Error ? error.message : String(error),
  };
}

interface KafkaDecoder {
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

interface FetchAnswers {
  decode(data: Buffer): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly { messages: Carrier[]; abortedTransactions: AbortedTransaction[] | null }[];
    }[];
  }>;
}

interface Internals {
  readonly Decoder: new (buffer: Buffer) => KafkaDecoder;
  readonly decodeOldRecords: (decoder: KafkaDecoder, size: number) => Promise<KafkaMessage[]>;
  readonly crc32c: (data: Buffer) => number;
}

/** kafkajs has no door for this. Its version is pinned, and the tests on Kafka fail if it is another one's place. */
function internalsOf(folder: string): Internals {
  const place = require.resolve(`${folder}/requests/fetch/v4/decodeMessages`);
  require(place);
  // kafkajs loads it once, with its first fetch.
  require.cache[place]!.exports = decodeRecordSet;
  // After that, as each of them takes it along; the versions between take over the one before.
  for (const version of [4, 5, 7, 8, 11]) {
    const answers = require(`${folder}/requests/fetch/v${version}/response`) as FetchAnswers;
    const { decode } = answers;
    answers.decode = async (data) => {
      const answer = await decode(data);
      for (const { partitions } of answer.responses)
        for (const partition of partitions) {
          const aborted = partition.abortedTransactions ?? [];
          partition.messages = partition.messages.map((one) => ({
            ...one,
            set: { ...one.set, batches: withoutAborted(one.set.batches, aborted) },
          }));
          partition.abortedTransactions = [];
        }
      return answer;
    };
  }
  return {
    Decoder: require(`${folder}/decoder`) as Internals["Decoder"],
    decodeOldRecords: require(`${folder}/messageSet/decoder`) as Internals["decodeOldRecords"],
    crc32c: require(`${folder}/recordBatch/crc32C`) as Internals["crc32c"],
  };
}
