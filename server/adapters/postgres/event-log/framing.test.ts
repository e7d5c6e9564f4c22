import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogRecord } from "@/server/ports/event-log";
import { decodeFrame, encodeFrames, ROW_BYTES, ROW_RECORDS } from "./framing";

describe("frames", () => {
  const anyRecord = fc.record({
    key: fc.option(fc.string({ unit: "grapheme" })),
    value: fc.uint8Array({ maxLength: 200 }),
  });

  it("give any records back", () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 50 }), (records) => {
        expect(roundTrip(records)).toEqual(records.map(({ key, value }) => ({ key, value: Buffer.from(value) })));
      }),
    );
  });

  it("stay within their bounds, but for a single larger record", () => {
    const sizes = [ROW_BYTES * 2, 10, ROW_BYTES - 100, 200, ...Array<number>(ROW_RECORDS * 2 + 5).fill(1)];
    const records = sizes.map((size): LogRecord => ({ key: null, value: Buffer.alloc(size) }));
    const frames = encodeFrames(records);
    for (const { records: count, payload } of frames) {
      expect(count).toBeLessThanOrEqual(ROW_RECORDS);
      expect(payload.length <= ROW_BYTES || count === 1).toBe(true);
    }
    expect(roundTrip(records).map(({ value }) => value.byteLength)).toEqual(sizes);
  });

  it("have a place for headers only when a record has some", () => {
    const value = Buffer.from("v");
    const plain = encodeFrames([{ key: "k", value }])[0]!.payload;
    expect(encodeFrames([{ key: "k", value, headers: {} }])[0]!.payload).toEqual(plain);
    expect(plain[0]).toBe(1);
    const headers = { "resend-of": "c/t/0/1 🌡", "": "\u0000", empty: "" };
    const mixed: LogRecord[] = [
      { key: "k", value },
      { key: null, value, headers },
      { key: "k", value },
    ];
    expect(roundTrip(mixed)).toEqual(mixed);
    const large: LogRecord[] = Array.from({ length: 40 }, () => ({
      key: null,
      value,
      headers: { a: "x".repeat(100_000) },
    }));
    expect(roundTrip(large)).toEqual(large);
    for (const { payload } of encodeFrames(large)) expect(payload.length).toBeLessThanOrEqual(ROW_BYTES);
  });

  it("of another version are refused", () => {
    expect(() => decodeFrame(Buffer.of(3, 0, 0, 0, 0))).toThrow("version 3");
  });

  function roundTrip(records: readonly LogRecord[]): LogRecord[] {
    return encodeFrames(records).flatMap(({ payload }) => decodeFrame(payload));
  }
});
