import type { PoolClient } from "pg";
import { from } from "pg-copy-streams";
import type { EpochMs } from "@/server/domain/terms";
import { within } from "@/server/async/timeout";
import { DatabaseUnavailableError, driverError } from "./client";
import { prepared } from "./prepared";
import { InconsistencyError } from "./transaction";

/** Rows of COPY's binary format, by far the cheapest way in, which costs both sides a fraction of its text. Fields come in the order of the target's columns. */
export interface BinaryRows {
  /** Rows begun. */
  readonly count: number;
  /** Begins a row of this many fields. */
  begin(fields: number): void;
  nothing(): void;
  integer(value: number): void;
  time(value: EpochMs): void;
  integers(values: ArrayLike<number>): void;
  /** An array of doubles; NaN is NULL. */
  doubles(values: ArrayLike<number>): void;
  /** The whole, ended. */
  bytes(): Buffer;
}

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const [INT4, FLOAT8] = [23, 701];
/** Milliseconds from 1970 to 2000, where PostgreSQL counts from. */
const Y2K = 946_684_800_000;

/** What a batch of quiet times needs; larger ones of their own would make the garbage collector work. */
const FIRST_BYTES = 2048;

export function binaryRows(): BinaryRows {
  let buffer = Buffer.allocUnsafe(FIRST_BYTES);
  let view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  let at = SIGNATURE.copy(buffer);
  let count = 0;
  /** Makes room for `bytes` more. */
  function reserve(bytes: number): void {
    if (at + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * buffer.length, at + bytes));
    buffer.copy(larger, 0, 0, at);
    buffer = larger;
    view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  }
  function int32(value: number): void {
    view.setInt32(at, value);
    at += 4;
  }
  /** Begins an array of `length` elements that takes at most `bytes`; returns where its size goes. */
  function beginArray(type: number, length: number, bytes: number): number {
    reserve(24 + bytes);
    const start = at;
    int32(0);
    int32(length === 0 ? 0 : 1);
    int32(0);
    int32(type);
    if (length > 0) {
      int32(length);
      int32(1);
    }
    return start;
  }
  const endArray = (start: number) => view.setInt32(start, at - start - 4);
  return {
    get count() {
      return count;
    },
    begin(fields) {
      reserve(2);
      view.setInt16(at, fields);
      at += 2;
      count++;
    },
    nothing() {
      reserve(4);
      int32(-1);
    },
    integer(value) {
      reserve(8);
      int32(4);
      int32(value);
    },
    time(value) {
      reserve(12);
      int32(8);
      view.setBigInt64(at, BigInt(value - Y2K) * 1000n);
      at += 8;
    },
    integers(values) {
      const start = beginArray(INT4, values.length, 8 * values.length);
      for (let i = 0; i < values.length; i++) {
        int32(4);
        int32(values[i]!);
      }
      endArray(start);
    },
    doubles(values) {
      const start = beginArray(FLOAT8, values.length, 12 * values.length);
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        if (Number.isNaN(value)) int32(-1);
        else {
          int32(8);
          view.setFloat64(at, value);
          at += 8;
        }
      }
      endArray(start);
    },
    bytes() {
      reserve(2);
      view.setInt16(at, -1);
      return buffer.subarray(0, at + 2);
    },
  };
}

/** A time longer than any COPY here takes, in milliseconds: pg's own bound of a statement doesn't hold for a stream. */
const LONGEST_MS = 60_000;

/** Rows that are written for less as parameters of a statement: a COPY takes two more answers. */
const FEW_ROWS = 10;

/**
 * Writes rows by COPY in its binary format; a few of them by INSERT, in the same form.
 * @param target table and columns, e.g. "sample (device_id, time)".
 * @param longestMs after it the connection counts as lost.
 * @throws InconsistencyError when not all were written. A key that is there already fails the whole transaction (23505).
 */
export async function copyBinary(
  client: PoolClient,
  target: string,
  rows: BinaryRows,
  longestMs = LONGEST_MS,
): Promise<void> {
  const written = await (rows.count <= FEW_ROWS ? insert(client, target, rows) : copy(client, target, rows, longestMs));
  if (written !== rows.count)
    throw new InconsistencyError(`${written} of ${rows.count} rows of ${target} were written`);
}

async function insert(client: PoolClient, target: string, rows: BinaryRows): Promise<number | null> {
  if (rows.count === 0) return 0;
  const values: (Buffer | null)[] = [];
  const places: string[] = [];
  for (const fields of fieldsOf(rows)) {
    places.push(`(${fields.map((field) => `$${values.push(field)}`).join()})`);
  }
  const { rowCount } = await client.query(prepared(`INSERT INTO ${target} VALUES ${places.join()}`)(values));
  return rowCount;
}

/** The fields of each row, as binary parameters. */
function fieldsOf(rows: BinaryRows): (Buffer | null)[][] {
  const bytes = rows.bytes();
  let at = SIGNATURE.length;
  return Array.from({ length: rows.count }, () => {
    const fields = new Array<Buffer | null>(bytes.readInt16BE(at));
    at += 2;
    for (let i = 0; i < fields.length; i++) {
      const length = bytes.readInt32BE(at);
      at += 4;
      fields[i] = length < 0 ? null : bytes.subarray(at, (at += length));
    }
    return fields;
  });
}

async function copy(client: PoolClient, target: string, rows: BinaryRows, longestMs: number): Promise<number | null> {
  const stream = client.query(from(`COPY ${target} FROM STDIN (FORMAT binary)`));
  const copied = new Promise<void>((resolve, reject) => {
    stream.on("error", (error) => reject(driverError(error) as Error));
    stream.once("finish", resolve);
    stream.end(rows.bytes());
  });
  await within(longestMs, copied, () => new DatabaseUnavailableError(`no answer to a COPY in ${longestMs / 1000} s`));
  return stream.rowCount;
}
