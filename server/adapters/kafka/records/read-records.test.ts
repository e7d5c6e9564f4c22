import { expect, it } from "vitest";
import { BrokenRecordsError, readRecords } from "./read-records";

const NOW = Date.UTC(2026, 5, 1);
const head = { count: 1, firstOffset: 2 ** 40, firstTime: NOW - 1000, logTime: null };

/** A signed number in groups of 7 bits, as Kafka writes it. */
function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function sized(content: string | Buffer | null): Buffer {
  if (content === null) return varint(-1);
  return Buffer.concat([varint(Buffer.byteLength(content)), Buffer.from(content)]);
}

interface Written {
  readonly time?: number | bigint;
  readonly offset?: number;
  readonly key?: string | null;
  readonly value?: string | null;
  readonly headers?: readonly (readonly [string, string | null])[];
}

function record({ time = 0, offset = 0, key = "k", value = "v", headers = [] }: Written): Buffer {
  const fields = [Buffer.from([0]), varint(time), varint(offset), sized(key), sized(value), varint(headers.length)];
  const body = Buffer.concat([...fields, ...headers.flatMap(([name, of]) => [sized(name), sized(of)])]);
  return Buffer.concat([varint(body.length), body]);
}

it("each record has its offset, time, key, value and headers", () => {
  const day = 86_400_000;
  const data = Buffer.concat([
    record({ key: "sensor-1", value: "{}" }),
    record({ time: -40 * day, offset: 1, key: null, value: null, headers: [["a", "1"]] }),
    record({
      time: 7,
      offset: 300_000,
      key: "Ä",
      value: "x".repeat(200),
      headers: [
        ["a", "1"],
        ["é", null],
        ["a", "2"],
      ],
    }),
    record({ time: 7, offset: 300_001, key: "sensor-1", headers: [["__proto__", "p"]] }),
  ]);
  const records = readRecords(data, { ...head, count: 4 }, NOW);
  const { firstOffset: first, firstTime: time } = head;
  expect(records).toEqual([
    { offset: first, key: "sensor-1", value: Buffer.from("{}"), headers: {}, ingestTime: time },
    { offset: first + 1, key: null, value: Buffer.alloc(0), headers: { a: "1" }, ingestTime: time - 40 * day },
    {
      offset: first + 300_000,
      key: "Ä",
      value: Buffer.from("x".repeat(200)),
      headers: { a: "2", é: "" },
      ingestTime: time + 7,
    },
    expect.objectContaining({ offset: first + 300_001, key: "sensor-1", ingestTime: time + 7 }),
  ]);
  expect(Object.entries(records[3]!.headers)).toEqual([["__proto__", "p"]]);
});

it("the log's own time stands for that of the records, and now for one that can't be", () => {
  const data = Buffer.concat([record({ time: 5 }), record({ time: 2n ** 62n })]);
  const times = (logTime: number | null) =>
    readRecords(data, { ...head, count: 2, logTime }, NOW).map(({ ingestTime }) => ingestTime);
  expect(times(NOW - 1)).toEqual([NOW - 1, NOW - 1]);
  expect(times(null)).toEqual([head.firstTime + 5, NOW]);
});

it("whatever is cut off, has another length or no end is told", () => {
  const whole = record({ headers: [["name", "value"]] });
  for (let length = 0; length < whole.length; length++)
    expect(() => readRecords(whole.subarray(0, length), head, NOW), `${length} bytes`).toThrow(BrokenRecordsError);
  const other = (at: number, byte: number) => {
    const changed = Buffer.from(whole);
    changed[at] = byte;
    return changed;
  };
  // The length of the record, of its key, of its value, and the number of headers.
  for (const at of [0, 4, 6, 8])
    for (const byte of [2, 3, 62]) {
      if (whole[at] === byte) continue;
      expect(() => readRecords(other(at, byte), head, NOW), `${byte} at ${at}`).toThrow(BrokenRecordsError);
    }
  expect(() => readRecords(Buffer.concat([whole, Buffer.alloc(1)]), head, NOW)).toThrow("something follows");
  expect(() => readRecords(Buffer.alloc(20, 255), head, NOW)).toThrow("no end");
});
