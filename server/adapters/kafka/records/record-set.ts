import { createRequire } from "node:module";
import type { KafkaMessage } from "kafkajs";
import type { UnreadableBatch, UnreadableReason } from "@/server/domain/unreadable";
import { CODECS, MOST_BYTES, TooLargeError } from "./decompress";

const require = createRequire(import.meta.url);
const { Decoder, decodeRecord, decodeOldRecords, crc32c } = internalsOf("kafkajs/src/protocol");

/** So many records a batch may have: as objects they take much more memory than their bytes. */
const MOST_RECORDS = 500_000;
/** The smallest record: a byte each for its length, attributes, time, offset, key, value and headers. */
const LEAST_RECORD_BYTES = 7;
/** Of a batch: its first offset and its length, which is that of the rest. */
const BATCH_START = 12;
const BATCH_HEADER = 61;
const MAGIC = 2;
const CONTROL = 0x20;

/** Stands last in a fetched record set, for a batch that can't be read. At the batch's last offset. */
export type UnreadableMark = KafkaMessage & { readonly unreadable: Omit<UnreadableBatch, "partition"> };

class Unreadable extends Error {
  constructor(
    readonly reason: UnreadableReason,
    message: string,
  ) {
    super(message);
  }
}

/** What the partitions of one answer were decompressed to, together; the rest of an answer waits for the next one. */
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
    } catch (error) {
      records.push(markOf(batch, error));
      break;
    }
    at = end;
  }
  return records;
}

/** Header of a batch: offset 0 first offset, 8 length, 16 magic, 17 CRC of all from 21, attributes, 23 last offset, … */
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

function markOf(batch: Buffer, error: unknown): UnreadableMark {
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
    // What kafkajs looks at to leave out aborted transactions: this one is to stay.
    ...{ batchContext: { inTransaction: false, producerId: "-1" }, isControlRecord: false },
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
  return {
    Decoder: require(`${folder}/decoder`) as Internals["Decoder"],
    decodeRecord: require(`${folder}/recordBatch/record/v0/decoder`) as Internals["decodeRecord"],
    decodeOldRecords: require(`${folder}/messageSet/decoder`) as Internals["decodeOldRecords"],
    crc32c: require(`${folder}/recordBatch/crc32C`) as Internals["crc32c"],
  };
}
