import { promisify } from "node:util";
import { constants, gunzip, gzip } from "node:zlib";
import { Decompress } from "fzstd";
import { decompressFrame } from "lz4-napi";
import { uncompress } from "snappy";
import { CompressionCodecs, CompressionTypes } from "../kafkajs";

/** The most bytes of a decompressed batch. Kafka's own limit, 1 MiB, is for compressed ones. */
export const MOST_BYTES = 64 * 1024 * 1024;

/** A batch would be larger than {@link MOST_BYTES}. */
export class TooLargeError extends Error {
  override readonly name = "TooLargeError";
  constructor(most: number) {
    super(`more than ${Math.round(most / 1024 / 1024)} MiB when decompressed`);
  }
}

/** A codec that producers compress batches by. */
export interface Codec {
  readonly name: string;
  /** @throws TooLargeError before more than `most` bytes are held, another Error when `data` isn't what it should be. */
  readonly decompress: (data: Buffer, most: number) => Promise<Buffer>;
}

/** Codecs by their number in a batch's attributes. */
export const CODECS: ReadonlyMap<number, Codec> = new Map([
  [1, { name: "gzip", decompress: fromGzip }],
  [2, { name: "snappy", decompress: fromSnappy }],
  [3, { name: "lz4", decompress: fromLz4 }],
  [4, { name: "zstd", decompress: fromZstd }],
]);

const toGzip = promisify(gzip) as (data: Buffer, options: { level: number }) => Promise<Buffer>;
const gunzipped = promisify(gunzip) as (
  data: Buffer,
  options: { maxOutputLength: number; chunkSize: number },
) => Promise<Buffer>;

// Record sets of Kafka before 0.11 are read by kafkajs itself.
for (const [id, { decompress }] of CODECS) {
  (CompressionCodecs as Record<number, unknown>)[id] = () => ({
    // We send gzip: at the fastest level telemetry shrinks to about a quarter, in half of the time.
    ...(id === CompressionTypes.GZIP && {
      compress: ({ buffer }: { buffer: Buffer }) => toGzip(buffer, { level: constants.Z_BEST_SPEED }),
    }),
    decompress: (data: Buffer) => decompress(data, MOST_BYTES),
  });
}

async function fromGzip(data: Buffer, most: number): Promise<Buffer> {
  try {
    return await gunzipped(data, { maxOutputLength: most, chunkSize: gunzipChunk(data) });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? new TooLargeError(most) : error;
  }
}

/** Its result is got in as few pieces: gzip tells at its end how long that is. Each takes as much memory as may be in it, whatever is told. */
const [LEAST_CHUNK, MOST_CHUNK] = [1024, 1024 * 1024];
function gunzipChunk(data: Buffer): number {
  const told = data.length < 4 ? 0 : data.readUInt32LE(data.length - 4);
  return Math.min(MOST_CHUNK, Math.max(LEAST_CHUNK, told + 1));
}

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
/** Magic, version and the oldest version that can read it. */
const XERIAL_HEADER = 16;

/** Raw snappy, or the blocks of snappy-java, which Java's producer writes. */
async function fromSnappy(data: Buffer, most: number): Promise<Buffer> {
  const blocks = data.subarray(0, XERIAL.length).equals(XERIAL) ? [...xerialBlocks(data)] : [data];
  if (blocks.reduce((sum, block) => sum + snappyLength(block), 0) > most) throw new TooLargeError(most);
  return Buffer.concat(await Promise.all(blocks.map(async (block) => (await uncompress(block)) as Buffer)));
}

function* xerialBlocks(data: Buffer): Generator<Buffer> {
  let at = XERIAL_HEADER;
  while (at < data.length) {
    // Streams that were written one after another.
    if (data.subarray(at, at + XERIAL.length).equals(XERIAL)) {
      at += XERIAL_HEADER;
      continue;
    }
    const length = data.readInt32BE(at);
    at += 4;
    if (length < 0 || at + length > data.length) throw new Error("a block ends after the data");
    yield data.subarray(at, at + length);
    at += length;
  }
}

/** Snappy tells at the beginning how long the result is: seven bits a byte, the lowest first. */
function snappyLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    length += (block[i]! & 0x7f) * 2 ** (7 * i);
    if (block[i]! < 0x80) return length;
  }
  throw new Error("its length is missing");
}

const LZ4_MAGIC = 0x184d2204;

async function fromLz4(data: Buffer, most: number): Promise<Buffer> {
  if (lz4Bound(data) > most) throw new TooLargeError(most);
  return decompressFrame(data);
}

/** The most that a frame can decompress to: each of its blocks tells the bytes it takes, the frame how large any can be. */
function lz4Bound(data: Buffer): number {
  if (data.readUInt32LE(0) !== LZ4_MAGIC) throw new Error("it is no LZ4 frame");
  const flags = data[4]!;
  const largest = 1 << (8 + 2 * ((data[5]! >> 4) & 7));
  const checksum = flags & 0x10 ? 4 : 0;
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let bound = 0;
  while (at + 4 <= data.length) {
    const size = data.readUInt32LE(at);
    if (size === 0) {
      const end = at + 4 + (flags & 0x04 ? 4 : 0);
      if (end < data.length) throw new Error("something follows the LZ4 frame");
      return bound;
    }
    const bytes = size & 0x7fffffff;
    if (at + 4 + bytes > data.length) break;
    // A byte of LZ4 stands for 255 at most.
    bound += size > 0x7fffffff ? bytes : Math.min(largest, bytes * 255);
    at += 4 + bytes + checksum;
  }
  throw new Error("a block ends after the data");
}

async function fromZstd(data: Buffer, most: number): Promise<Buffer> {
  if (data.length === 0) throw new Error("unexpected EOF");
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  new Decompress((chunk) => {
    bytes += chunk.length;
    if (bytes > most) throw new TooLargeError(most);
    chunks.push(chunk);
  }).push(data, true);
  return Buffer.concat(chunks);
}
