import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { ColdFileMissingError } from "@/server/ports/cold-store";
import type { ReadBytes } from "./part-file";

/** Bytes that are compared together. */
const PIECE = 64 * 1024;

/** CRC-32 of each 64 KiB of a file, one after the other, 4 bytes each: a part of the file can be compared with what was written without all of it. */
export function crcsOf(bytes: Uint8Array): Buffer {
  const crcs = Buffer.alloc(Math.ceil(bytes.length / PIECE) * 4);
  for (let from = 0, at = 0; from < bytes.length; from += PIECE, at += 4)
    crcs.writeUInt32BE(crc32(bytes.subarray(from, from + PIECE)), at);
  return crcs;
}

/** A file that bytes are read of, with what they were when it was written. */
export interface WrittenBytes {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Null: a version before wrote it, and it is compared as a whole. */
  readonly crcs: Buffer | null;
}

/**
 * Makes `read` answer with bytes that are as they were written, or not at all. A Parquet file can't tell itself: a bit that flips in its end or in
 * what says where a value is missing makes other readings of it.
 * @throws ColdFileMissingError, also from what it returns, when a byte is another.
 */
export async function checkedRead(file: WrittenBytes, read: ReadBytes): Promise<ReadBytes> {
  const crcs = file.crcs ?? crcsOf(await readWhole(file, read));
  return async (from, to) => {
    const start = Math.floor(from / PIECE) * PIECE;
    const pieces = await read(start, Math.min(file.bytes, Math.ceil(to / PIECE) * PIECE));
    if (!crcsOf(pieces).equals(crcs.subarray((start / PIECE) * 4, Math.ceil(to / PIECE) * 4)))
      throw new ColdFileMissingError(file.name);
    return pieces.subarray(from - start, to - start);
  };
}

async function readWhole({ name, bytes, sha256 }: WrittenBytes, read: ReadBytes): Promise<Uint8Array> {
  const whole = await read(0, bytes);
  if (createHash("sha256").update(whole).digest("hex") !== sha256) throw new ColdFileMissingError(name);
  return whole;
}
