import type { LogRecord } from "@/server/ports/event-log";

/** Most records of one row of log_batch; fetching relies on it. */
export const ROW_RECORDS = 1000;
/** A row is closed once it is this large, in bytes; a single larger record has a row to itself. */
export const ROW_BYTES = 1024 * 1024;

const VERSION = 1;

/** Records of one partition as they are kept in one row of log_batch. */
export interface Frame {
  readonly records: number;
  readonly payload: Buffer;
}

/**
 * Puts records into frames, in order. The layout: one byte 1 (version); then for each record the key's length (int32,
 * -1 for no key), the key (UTF-8), the value's length (int32), the value. All numbers are big-endian.
 */
export function encodeFrames(records: readonly LogRecord[]): Frame[] {
  const frames: Frame[] = [];
  let from = 0;
  while (from < records.length) {
    let bytes = 1;
    let to = from;
    while (to < records.length && to - from < ROW_RECORDS) {
      const { key, value } = records[to]!;
      const size = 8 + (key === null ? 0 : Buffer.byteLength(key)) + value.byteLength;
      if (to > from && bytes + size > ROW_BYTES) break;
      bytes += size;
      to += 1;
    }
    frames.push({ records: to - from, payload: encodeFrame(records, from, to, bytes) });
    from = to;
  }
  return frames;
}

function encodeFrame(records: readonly LogRecord[], from: number, to: number, bytes: number): Buffer {
  const payload = Buffer.allocUnsafe(bytes);
  let at = payload.writeUInt8(VERSION, 0);
  for (let index = from; index < to; index++) {
    const { key, value } = records[index]!;
    const keyBytes = key === null ? -1 : payload.write(key, at + 4, "utf8");
    payload.writeInt32BE(keyBytes, at);
    at += 4 + Math.max(0, keyBytes);
    at = payload.writeInt32BE(value.byteLength, at);
    payload.set(value, at);
    at += value.byteLength;
  }
  return payload;
}

/** Reads the records of a frame back; values are views of `payload`. @throws if it is not a frame. */
export function decodeFrame(payload: Buffer): LogRecord[] {
  if (payload[0] !== VERSION) throw new Error(`unknown version ${payload[0]} of a row of the event log`);
  const records: LogRecord[] = [];
  let at = 1;
  while (at < payload.length) {
    const keyBytes = payload.readInt32BE(at);
    at += 4;
    const key = keyBytes < 0 ? null : payload.toString("utf8", at, at + keyBytes);
    at += Math.max(0, keyBytes);
    const valueBytes = payload.readInt32BE(at);
    at += 4;
    records.push({ key, value: payload.subarray(at, at + valueBytes) });
    at += valueBytes;
  }
  return records;
}
