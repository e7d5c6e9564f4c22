import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeMessage } from "@/server/domain/decode-message";
import { type DecodedMessage, readingsOf } from "@/server/domain/message";
import { createPlainReader } from "./plain-message";

const NOW = Date.UTC(2026, 2, 1, 12);
const bounds = { now: NOW, futureToleranceMs: 3_600_000, retentionMs: 400 * 24 * 3_600_000 };

const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_.:-]{1,8}$/),
  fc.constantFrom("temperature", "co", "__proto__", "constructor", "1", "x\\u0041", "ä", "a b", "", "a".repeat(129)),
);
const digits = (most: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${most}}$`));
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ noNaN: true, min: -1000, max: 1000 }).map(String),
  fc.integer().map(String),
  fc.tuple(fc.constantFrom("", "-"), digits(20), digits(20)).map(([sign, a, b]) => `${sign}${a}.${b}`),
  fc.constantFrom(
    "true",
    "false",
    "null",
    "-0",
    "0.0",
    "-0.00",
    "01",
    "1.",
    ".5",
    "-",
    "1e3",
    '"text"',
    "{}",
    "NaN",
    "+1",
  ),
);
const time = fc.oneof(
  fc
    .date({ min: new Date(NOW - 500 * 86_400_000), max: new Date(NOW + 7_200_000), noInvalidDate: true })
    .map((date) => date.toISOString()),
  fc.constantFrom(
    "2026-02-29T10:00:00.000Z",
    "2026-01-31T10:00:00.000Z",
    "2026-02-28T23:59:60.000Z",
    "2026-01-31T24:00:00.000Z",
    "2026-01-01T00:00:00Z",
    "2026-13-01T00:00:00.000Z",
  ),
  fc.constantFrom(
    "1969-12-31T00:00:00.000Z",
    "2026-01-01t00:00:00.000z",
    "2026-01-01T00:00:00.000+01:00",
    "2026-01-0aT00:00:00.000Z",
    "now",
  ),
);
const message = fc
  .record({
    device: name,
    time,
    readings: fc.array(fc.tuple(name, value), { maxLength: 6 }),
    space: fc.constantFrom("", "", "", " "),
    more: fc.constantFrom(
      ...[
        "",
        "",
        "",
        ',"id":"7"',
        ',"site":"s"',
        ',"site":null',
        "x",
        "}",
        ',"units":{}',
        ',"units":{"co":5}',
        ',"units":7',
      ],
      ...[
        ',"units":{"co":"ppm","temperature":"°C"}',
        ',"units":{"co":"ppm"},"site":" Köln ","type":"t"',
        ',"state":{"a":1}',
        ',"labels":{"room":"kitchen"},"site":"s"',
        ',"labels":{"room":7}',
      ],
      ...[
        ',"units":{"a":"V"},"units":{"b":"A"}',
        ',"units":{"a":"V"}}',
        ',"readings":{"a":1}',
        ',"units":{"a":"V"},"time":1',
      ],
    ),
  })
  .map(({ device, time, readings, space, more }) => {
    const members = readings.map(([key, one]) => `"${key}":${one}`).join(`,${space}`);
    return `{"device":"${device}","time":"${time}","readings":{${members}}${more}}`;
  });

test("what is read from bytes is what decoding makes of them, whatever came before", () => {
  const read = createPlainReader();
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      for (const one of messages) {
        const bytes = Buffer.from(one);
        const found = read(bytes, bounds);
        if (found !== null) expect({ ok: true, message: found }).toEqual(decodeMessage(bytes, bounds));
      }
    }),
    { numRuns: 5000 },
  );
});

test("any bytes changed anywhere are read as decoding reads them, or left to it", () => {
  const read = createPlainReader();
  const readings = `{"device":"press-07","time":"2026-02-28T21:10:00.123Z","readings":{"temperature":21.3,"motion":false,"n":-12}`;
  const plain = `${readings},"units":{"temperature":"°C"}}`;
  expect(read(Buffer.from(plain), bounds)?.units).toEqual(new Map([["temperature", "°C"]]));
  const change = fc.tuple(fc.nat(plain.length - 1), fc.nat(255), fc.boolean());
  fc.assert(
    fc.property(fc.array(change, { maxLength: 2 }), (changes) => {
      let bytes = Buffer.from(plain);
      for (const [at, byte, cut] of changes) {
        if (at >= bytes.length) continue;
        if (cut) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
        else bytes[at] = byte;
      }
      const found = read(bytes, bounds);
      if (found !== null) expect({ ok: true, message: found }).toEqual(decodeMessage(bytes, bounds));
      if (changes.length === 0) expect(found).not.toBeNull();
    }),
    { numRuns: 5000 },
  );
});

test("every day of a calendar is common, and none that isn't in it is read", () => {
  const read = createPlainReader();
  const all = { now: Date.UTC(2029, 0, 1), futureToleranceMs: 0, retentionMs: null };
  for (const year of [1970, 2000, 2026, 2028])
    for (let month = 1; month <= 12; month++)
      for (let date = 1; date <= 31; date++) {
        const day = [year, month, date].map((part) => String(part).padStart(2, "0")).join("-");
        const bytes = Buffer.from(`{"device":"d","time":"${day}T11:00:00.000Z","readings":{"n":1}}`);
        const decoded = decodeMessage(bytes, all);
        expect(read(bytes, all), day).toEqual(decoded.ok ? decoded.message : null);
      }
});

test("reads the common shape, with numbers to their last bit", () => {
  const read = createPlainReader();
  const text = (readings: string) =>
    Buffer.from(`{"device":"d","time":"2026-03-01T11:00:00.000Z","readings":{${readings}}}`);
  for (const token of ["0.004955938648391245", "-73.13333333333334", "123456789012345680"])
    expect(readingsIn(read(text(`"a":${token}`), bounds))).toEqual([["a", Number(token)]]);
  // 2^53 + 1 is no double: decoding says so.
  expect(read(text(`"a":9007199254740993`), bounds)).toBeNull();
  fc.assert(
    fc.property(
      fc.integer({ min: -(10 ** 15) + 1, max: 10 ** 15 - 1 }),
      fc.integer({ min: 1, max: 14 }),
      (number, point) => {
        const plain = String(Math.abs(number)).padStart(point + 1, "0");
        const token = `${number < 0 ? "-" : ""}${plain.slice(0, -point)}.${plain.slice(-point)}`;
        expect(readingsIn(read(text(`"a":${token},"b":true`), bounds))).toEqual([
          ["a", Number(token)],
          ["b", true],
        ]);
      },
    ),
    { numRuns: 5000 },
  );
});

test("messages alike share their shape, also where several kinds come in turn", () => {
  const read = createPlainReader();
  const shapeOf = (readings: string) =>
    read(Buffer.from(`{"device":"d","time":"2026-03-01T11:00:00.000Z","readings":{${readings}}}`), bounds)!.shape;
  const [first, other, shorter, boolean] = ['"a":1,"b":2', '"b":1,"a":2', '"a":1', '"a":1,"b":true'].map(shapeOf);
  expect(shapeOf('"a":7.5,"b":-2')).toBe(first);
  expect(shapeOf('"b":7.5,"a":-2')).toBe(other);
  expect(shapeOf('"a":0')).toBe(shorter);
  expect(shapeOf('"a":0,"b":false')).toBe(boolean);
  expect(boolean).toEqual({ names: ["a", "b"], kinds: ["number", "boolean"] });
  // As many as nobody has, of which none is kept for ever.
  for (let i = 0; i < 10_000; i++) expect(shapeOf(`"m${i}":1,"n":true`).names).toEqual([`m${i}`, "n"]);
});

function readingsIn(message: DecodedMessage | null) {
  return message && readingsOf(message);
}
