import { createRequire } from "node:module";
import type { KafkaMessage } from "kafkajs";
import type { UnreadableBatch, UnreadableReason } from "@/server/domain/unreadable";
import { type AbortedTransaction, withoutAborted } from "./aborted";
import { CODECS, MOST_BYTES, TooLargeError } from "./decompress";

const require = createRequire(import.meta.url);
const { Decoder, decodeRecord, decodeOldRecords, crc32c } = internalsOf("kafkajs/src/protocol");

/** The most records of a batch: as objects they take much more memory than their bytes. */
const MOST_RECORDS = 500_000;
/** The smallest record: a byte each for its length, attributes, time, offset, key, value and headers. */
const LEAST_RECORD_BYTES = 7;
/** Bytes of a batch's first offset and its length, which counts the rest. */
const BATCH_START = 12;
const BATCH_HEADER = 61;
const MAGIC = 2;
const CONTROL = 0x20;

/** Stands last in a fetched record set, for a batch that can't be read. At the batch's last offset. */
export type UnreadableMark = KafkaMessage & { readonly unreadable: Omit<UnreadableBatch, "partition"> };

/**
 * Stands last in every other record set, at its last offset. kafkajs leaves control records and aborted ones out, tells
 * nothing of a set it leaves out whole, and waits for ever before batches that compaction left empty; this goes through.
 */
export type EndMark = KafkaMessage & { readonly reached: number; readonly term: number };

/** The epoch of the partition's leader in which a message was written; null in Kafka's old formats. */
export function termOf(message: KafkaMessage): number | null {
  return (message as { batchContext?: { partitionLeaderEpoch?: number } }).batchContext?.partitionLeaderEpoch ?? null;
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
 * batch holds, which would cost the batches of all other partitions: the first batch that can't be read becomes an
 * {@link UnreadableMark} and ends the set.
 */
async function decodeRecordSet(answer: KafkaDecoder): Promise<KafkaMessage[]> {
  const size = answer.readInt32();
  if (size <= 0 || !answer.canReadBytes(size)) return [];
  const set = answer.readBytes(size);
  const records: KafkaMessage[] = [];
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
      if (set[at + 16]! < MAGIC) return await decodeOldRecords(new Decoder(set), set.length);
      if (records.length > 0 && (decompressed.get(answer) ?? 0) >= MOST_BYTES) break;
      for (const record of await decodeBatch(batch, answer)) records.push(record);
      last = batch;
    } catch (error) {
      records.push(unreadableMark(batch, error));
      return records;
    }
    at = end;
  }
  if (last !== undefined) records.push(endMark(last));
  return records;
}

/** Header of a batch: offset 0 first offset, 8 length, 12 leader's epoch, 16 magic, 17 CRC of all from 21, attributes, 23 last offset, … */
async function decodeBatch(batch: Buffer, answer: object): Promise<KafkaMessage[]> {
  if (batch[16] !== MAGIC) throw new Unreadable("brokenRecords", `Kafka has no message format ${batch[16]}`);
  if (crc32c(batch.subarray(21)) !== batch.readUInt32BE(17)) throw new Unreadable("wrongChecksum", "");
  const attributes = batch.readInt16BE(21);
  const count = batch.readInt32BE(57);
  const data = await contentOf(batch, attributes, answer);
  if (count > MOST_RECORDS) throw new Unreadable("tooLarge", `${count} records, and ${MOST_RECORDS} are the most`);
  if (count < 0 || count * LEAST_RECORD_BYTES > data.length)
    throw new Unreadable("brokenRecords", `there can't be ${count} in ${data.length} bytes`);
  const context = {
    firstOffset: String(batch.readBigInt64BE(0)),
    partitionLeaderEpoch: batch.readInt32BE(12),
    firstTimestamp: String(batch.readBigInt64BE(27)),
    maxTimestamp: String(batch.readBigInt64BE(35)),
    timestampType: attributes & 0x8 ? 1 : 0,
    producerId: String(batch.readBigInt64BE(43)),
    inTransaction: (attributes & 0x10) > 0,
    isControlBatch: (attributes & CONTROL) > 0,
    magicByte: MAGIC,
  };
  const decoder = new Decoder(data);
  const records: KafkaMessage[] = [];
  for (let i = 0; i < count; i++) {
    const length = decoder.readVarInt();
    if (length < 0 || !decoder.canReadBytes(length)) throw new Unreadable("brokenRecords", `record ${i} is cut off`);
    const record = new Decoder(decoder.readBytes(length)!);
    records.push(decodeRecord(record, context));
    if (record.offset !== length) throw new Unreadable("brokenRecords", `record ${i} has not the length it tells`);
  }
  if (decoder.offset !== data.length) throw new Unreadable("brokenRecords", "something follows the last one");
  return records;
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

/** The field by which kafkajs leaves out control records and aborted transactions: a marker is to stay. */
const STAYS = { batchContext: { inTransaction: false, producerId: "-1" }, isControlRecord: false };

function endMark(batch: Buffer): EndMark {
  const last = Number(batch.readBigInt64BE(0)) + Math.max(0, batch.readInt32BE(23));
  return {
    ...{ offset: String(last), key: null, value: null, timestamp: "0", attributes: 0, headers: {}, ...STAYS },
    ...{ reached: last + 1, term: batch.readInt32BE(12) },
  };
}

function unreadableMark(batch: Buffer, error: unknown): UnreadableMark {
  const attributes = batch.readInt16BE(21);
  const from = Number(batch.readBigInt64BE(0));
  const offsets = Math.max(0, batch.readInt32BE(23)) + 1;
  const count = batch.readInt32BE(57);
  const codec = attributes & 7;
  return {
    offset: String(from + offsets - 1),
    key: null,
    value: null,
    timestamp: "0",
    attributes,
    headers: {},
    ...STAYS,
    unreadable: {
      from,
      to: from + offsets - 1,
      records: count > 0 && count <= offsets ? count : offsets,
      reason: error instanceof Unreadable ? error.reason : "brokenRecords",
      codec: codec === 0 ? null : (CODECS.get(codec)?.name ?? String(codec)),
      detail: error instanceof Error ? error.message : String(error),
    },
  };
}

interface KafkaDecoder {
  readonly offset: number;
  readInt32(): number;
  readVarInt(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

interface FetchAnswers {
  decode(data: Buffer): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly { messages: KafkaMessage[]; abortedTransactions: AbortedTransaction[] | null }[];
    }[];
  }>;
}

interface Internals {
  readonly Decoder: new (buffer: Buffer) => KafkaDecoder;
  readonly decodeRecord: (decoder: KafkaDecoder, context: object) => KafkaMessage;
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
          partition.messages = withoutAborted(partition.messages, partition.abortedTransactions ?? []);
          partition.abortedTransactions = [];
        }
      return answer;
    };
  }
  return {
    Decoder: require(`${folder}/decoder`) as Internals["Decoder"],
    decodeRecord: require(`${folder}/recordBatch/record/v0/decoder`) as Internals["decodeRecord"],
    decodeOldRecords: require(`${folder}/messageSet/decoder`) as Internals["decodeOldRecords"],
    crc32c: require(`${folder}/recordBatch/crc32C`) as Internals["crc32c"],
  };
}
