import { gzipSync } from "node:zlib";
import { compressFrame } from "lz4-napi";
import { compress } from "snappy";
import { describe, expect, it } from "vitest";
import { CODECS, TooLargeError } from "./decompress";

const MOST = 4 * 1024 * 1024;
const TEXT = Buffer.from(JSON.stringify(Array.from({ length: 5000 }, (_, n) => ({ n, text: `reading ${n % 7}` }))));

const gzip = async (data: Buffer) => gzipSync(data);
const lz4 = (data: Buffer) => compressFrame(data);
const rawSnappy = (data: Buffer) => compress(data);
async function xerial(data: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [Buffer.from("82534e41505059000000000100000001", "hex")];
  for (let at = 0; at < data.length; at += 32 * 1024) {
    const block = await compress(data.subarray(at, at + 32 * 1024));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}
/** A frame of zstd in blocks of one repeated byte, 128 KiB each. */
function zstdOfZeros(blocks: number): Buffer {
  const parts = [Buffer.from("28b52ffd0058", "hex")];
  for (let i = 1; i <= blocks; i++) {
    const block = Buffer.alloc(4);
    block.writeUIntLE((i === blocks ? 1 : 0) | (1 << 1) | ((128 * 1024) << 3), 0, 3);
    parts.push(block);
  }
  return Buffer.concat(parts);
}

const inflate = (id: number, data: Buffer) => CODECS.get(id)!.decompress(data, MOST);

describe.each([
  ["gzip", 1, gzip],
  ["raw snappy", 2, rawSnappy],
  ["snappy in blocks", 2, xerial],
  ["lz4", 3, lz4],
] as const)("%s", (_, id, deflate) => {
  it("comes back as it was", async () => {
    expect((await inflate(id, await deflate(TEXT))).equals(TEXT)).toBe(true);
    expect(await inflate(id, await deflate(Buffer.from("one")))).toEqual(Buffer.from("one"));
  });

  it("is refused when it would be too large", async () => {
    const bomb = await deflate(Buffer.alloc(MOST + 1));
    await expect(inflate(id, bomb)).rejects.toBeInstanceOf(TooLargeError);
    const largest = await deflate(Buffer.alloc(MOST));
    expect((await inflate(id, largest)).length).toBe(MOST);
  });

  it("is an error when it is cut off or something else", async () => {
    const data = await deflate(TEXT);
    for (const broken of [
      data.subarray(0, data.length >> 1),
      data.subarray(0, 3),
      Buffer.alloc(0),
      Buffer.alloc(99, 7),
    ])
      await expect(inflate(id, broken)).rejects.toThrow();
  });
});

describe("lz4", () => {
  it("is read with checksums of its blocks and of all", async () => {
    const data = await compressFrame(TEXT, { blockChecksums: true, contentChecksum: true });
    expect((await inflate(3, data)).equals(TEXT)).toBe(true);
    data[20]! ^= 1;
    await expect(inflate(3, data)).rejects.toThrow();
  });

  it("is refused with a second frame behind it, whose size nobody has looked at", async () => {
    const data = Buffer.concat([await lz4(Buffer.from("one")), await lz4(Buffer.alloc(MOST))]);
    await expect(inflate(3, data)).rejects.toThrow("something follows the LZ4 frame");
  });
});

describe("zstd", () => {
  it("is read, and refused when it would be too large", async () => {
    expect((await inflate(4, zstdOfZeros(32))).equals(Buffer.alloc(MOST))).toBe(true);
    await expect(inflate(4, zstdOfZeros(33))).rejects.toBeInstanceOf(TooLargeError);
  });

  it("is an error when it is cut off or something else", async () => {
    for (const broken of [zstdOfZeros(9).subarray(0, 20), Buffer.alloc(0), Buffer.alloc(99, 7)])
      await expect(inflate(4, broken)).rejects.toThrow();
  });
});
