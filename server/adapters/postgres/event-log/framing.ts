import type { LogRecord, RecordHeaders } from "@/server/ports/event-log";

/** Most records of one row of log_batch; fetching relies on it. */
export const ROW_RECORDS = 1000;
/** A row is closed once it is this large, in bytes; a single larger record has a row to itself. */
export const ROW_BYTES = 1024 * 1024;

/** None of the records has headers. */
const PLAIN = 1;
/** Every record says which headers it has. */
const WITH_HEADERS = 2;

/** Records of one partition as they are kept in one row of log_batch. */
export interface Frame {
  readonly records: number;
  readonly payload: Buffer;
}

/**
 * Puts records into frames, in order. The layout: one byte (the version); then for each record the key's length (int32,
 * -1 for no key), the key (UTF-8), the value's length (int32), the value. In version 2, which is taken only when a record
 * of the frame has headers, there follow the length of the headers (int32, 0 for none) and the headers as JSON (UTF-8).
 * All numbers are big-endian.
 */
export function encodeFrames(records: readonly LogRecord[]): Frame[] {
  const frames: Frame[] = [];
  let from = 0;
  while (from < records.length) {
    /** The same as in version 2. */
    let bytes = 1;
    let to = from;
    /** Headers by the record's index; records without any are left out. */
    let headers: Map<number, Buffer> | null = null;
    while (to < records.length && to - from < ROW_RECORDS) {
      const record = records[to]!;
      const text = record.headers === undefined ? null : textOf(record.headers);
      const key = record.key === null ? 0 : Buffer.byteLength(record.key);
      // Four more for the headers' length, should another record of the frame have some.
      const size = 12 + key + record.value.byteLength + (text?.length ?? 0);
      if (to > from && bytes + size > ROW_BYTES) break;
      if (text !== null) (headers ??= new Map()).set(to, text);
      bytes += size;
      to += 1;
    }
    if (headers === null) bytes -= 4 * (to - from);
    frames.push({ records: to - from, payload: encodeFrame(records, from, to, bytes, headers) });
    from = to;
  }
  return frames;
}

function textOf(headers: RecordHeaders): Buffer | null {
  return Object.keys(headers).length === 0 ? null : Buffer.from(JSON.stringify(headers));
}

function encodeFrame(
  records: readonly LogRecord[],
  from: number,
  to: number,
  bytes: number,
  headers: ReadonlyMap<number, Buffer> | null,
): Buffer {
  const payload = Buffer.allocUnsafe(bytes);
  let at = payload.writeUInt8(headers === null ? PLAIN : WITH_HEADERS, 0);
  for (let index = from; index < to; index++) {
    const { key, value } = records[index]!;
    const keyBytes = key === null ? -1 : payload.write(key, at + 4, "utf8");
    payload.writeInt32BE(keyBytes, at);
    at += 4 + Math.max(0, keyBytes);
    at = payload.writeInt32BE(value.byteLength, at);
    payload.set(value, at);
    at += value.byteLength;
    if (headers === null) continue;
    const text = headers.get(index);
    at = payload.writeInt32BE(text?.length ?? 0, at);
    if (text !== undefined) at += text.copy(payload, at);
  }
  return payload;
}

/** Reads the records of a frame back; values are views of `payload`. @throws if it is not a frame. */
export function decodeFrame(payload: Buffer): LogRecord[] {
  const version = payload[0];
  if (version !== PLAIN && version !== WITH_HEADERS)
    throw new Error(`unknown version ${version} of a row of the event log`);
  const records: LogRecord[] = [];
  let at = 1;
  while (at < payload.length) {
    const keyBytes = payload.readInt32BE(at);
    at += 4;
    const key = keyBytes < 0 ? null : payload.toString("utf8", at, at + keyBytes);
    at += Math.max(0, keyBytes);
    const valueBytes = payload.readInt32BE(at);
    at += 4;
    const value = payload.subarray(at, at + valueBytes);
    at += valueBytes;
    let headerBytes = 0;
    if (version === WITH_HEADERS) {
      headerBytes = payload.readInt32BE(at);
      at += 4;
    }
    if (headerBytes === 0) records.push({ key, value });
    else {
      const headers = JSON.parse(payload.toString("utf8", at, at + headerBytes)) as RecordHeaders;
      records.push({ key, value, headers });
      at += headerBytes;
    }
  }
  return records;
}
