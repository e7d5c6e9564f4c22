import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Refusal } from "./reasons";
import { readJson } from "./json";
import { type DecodeBounds, decodeMessage } from "./decode-message";
import { readingsOf } from "./message";
import { mapMessage } from "./message-mapping";

const bounds: DecodeBounds = { now: Date.UTC(2026, 0, 1), futureToleranceMs: 60_000, retentionMs: 86_400_000 };
const time = "2025-12-31T23:00:00Z";
const decode = (text: string) => decodeMessage(new TextEncoder().encode(text), bounds);
const message = (fields: object) =>
  decode(JSON.stringify({ device: "press-07", time, readings: { temperature: 21.3 }, ...fields }));
const nested = (depth: number) =>
  `{"device":"a","time":"${time}","readings":{"a":1},"x":${"[".repeat(depth)}${"]".repeat(depth)}}`;

describe("decodeMessage", () => {
  it("takes no value of a reading that comes again, as nobody knows which is meant, and all others", () => {
    const outcome = decode(`{"device":"d","time":"${time}","readings":{"a":1,"b":2,"a":3,"c":4,"c":null,"x":{"a":1}}}`);
    expect(outcome).toMatchObject({ ok: true, message: { shape: { names: ["b"] }, values: [2] } });
    expect(outcome.ok && outcome.message.refused.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([
      'badValue: "a" is there more than once, last as 3',
      'badValue: "c" is there more than once, last as null',
      "badValue: x is an object",
    ]);
    expect(decode(`{"device":"d","time":"${time}","readings":{"a":1},"readings":{"b":2}}`)).toMatchObject({
      ok: false,
      reason: "notJson",
      detail: 'it says "readings" more than once',
    });
    expect(decode(`{"device":"d","time":"${time}","readings":{"a":1},"note":1,"note":{"a":2}}`).ok).toBe(true);
  });

  it("tells what comes again in a message that is mapped", () => {
    const repeated = (text: string) =>
      mapMessage(readJson(text), { device: "id", time: "at.ts", readings: "body.data" }).repeated;
    expect(repeated('{"id":"d","at":{"ts":1},"body":{"data":{"a":1,"a":2}},"x":1,"x":2}')).toEqual([["readings", "a"]]);
    expect(repeated('{"id":"d","id":"e","at":{"ts":1,"ts":2},"body":{},"body":{"data":{}}}')).toEqual([
      ["device"],
      ["time"],
      ["readings"],
    ]);
    expect(repeated('{"id":"d","body":{"data":{"a":{"b":1,"b":2}},"y":1,"y":2}}')).toEqual([["readings", "a", "b"]]);
  });

  it("sorts every field of a good message", () => {
    expect(message({ readings: { temperature: 21.3, motion: false, mode: "auto" }, id: "7", site: "hamburg" })).toEqual(
      {
        ok: true,
        message: {
          device: "press-07",
          eventTime: Date.UTC(2025, 11, 31, 23),
          id: "7",
          site: "hamburg",
          shape: { names: ["temperature", "motion"], kinds: ["number", "boolean"] },
          values: [21.3, 0],
          rounded: [],
          texts: [["mode", "auto"]],
          refused: [],
          refusedLabels: [],
        },
      },
    );
  });

  it.each([
    ["notJson", ""],
    ["notJson", "{"],
    ["notJson", "[]"],
    ["notJson", "null"],
    ["notJson", '{"device":"a","time":1,"readings":{"a":Nan1}}'],
    ["tooDeep", nested(16)],
    ["tooDeep", nested(30_000)],
    ["tooLarge", " ".repeat(64 * 1024 + 1)],
    ["noDevice", JSON.stringify({ time, readings: { a: 1 } })],
    ["badDevice", JSON.stringify({ device: "a b", time, readings: { a: 1 } })],
    ["badDevice", JSON.stringify({ device: 7, time, readings: { a: 1 } })],
    ["badDevice", JSON.stringify({ device: "constructor", time, readings: { a: 1 } })],
    ["noTime", JSON.stringify({ device: "a", readings: { a: 1 } })],
    ["badTime", JSON.stringify({ device: "a", time: "yesterday", readings: { a: 1 } })],
    ["futureTime", JSON.stringify({ device: "a", time: "2026-01-01T00:01:00.001Z", readings: { a: 1 } })],
    ["tooOld", JSON.stringify({ device: "a", time: "2025-12-30T23:59:59.999Z", readings: { a: 1 } })],
    ["noReadings", JSON.stringify({ device: "a", time })],
    ["noReadings", JSON.stringify({ device: "a", time, readings: [] })],
    ["noReadings", JSON.stringify({ device: "a", time, readings: { a: null } })],
    [
      "tooManyReadings",
      JSON.stringify({ device: "a", time, readings: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, i])) }),
    ],
  ])("refuses a whole message: %s", (reason, text) => {
    expect(decode(text)).toMatchObject({ ok: false, reason });
  });

  it("tells of a time near 1970 that its sender's clock isn't set", () => {
    const detailOf = (time: unknown) =>
      (decode(JSON.stringify({ device: "a", time, readings: { a: 1 } })) as Refusal).detail;
    expect(detailOf(0)).toBe("1970-01-01T00:00:00.000Z is older than the retention: the clock of its sender isn't set");
    expect(detailOf(86_400)).toContain("isn't set");
    expect(detailOf("2025-12-30T23:59:59.999Z")).toBe("2025-12-30T23:59:59.999Z is older than the retention");
  });

  it("refuses broken UTF-8", () => {
    expect(decodeMessage(new Uint8Array([0x7b, 0xff, 0x7d]), bounds)).toMatchObject({ ok: false, reason: "notJson" });
  });

  it("keeps a message's good fields when others are bad", () => {
    const outcome = decode(
      `{"device":"a","time":"${time}","readings":{"ok":1,"a b":2,"__proto__":3,"big":1e999,"deep":{}}}`,
    );
    expect(outcome.ok && readingsOf(outcome.message)).toEqual([["ok", 1]]);
    expect(outcome.ok && outcome.message.refused.map(({ field, reason }) => [field, reason])).toEqual([
      ["a b", "badName"],
      ["__proto__", "badName"],
      ["big", "notFinite"],
      ["deep", "badValue"],
    ]);
  });

  it("keeps a message's good fields beside NaN and infinities as other languages write them", () => {
    const words = ["NaN", "nan", "-NaN", "Infinity", "-Infinity", "inf", "INF", "+Infinity", "1e999", "-1e999"];
    const fields = words.map((word, i) => `"f${i}": ${word}`);
    const outcome = decode(`{"device":"a","time":"${time}","readings":{"ok":1,${fields.join(",")},"text":"NaN, inf"}}`);
    if (!outcome.ok) throw new Error(outcome.detail);
    const { texts, refused } = outcome.message;
    expect([readingsOf(outcome.message), texts]).toEqual([[["ok", 1]], [["text", "NaN, inf"]]]);
    expect(refused.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual(
      words.map((word, i) => `notFinite: f${i} is ${word}`),
    );
  });

  it("marks numbers that no double holds as they were written", () => {
    const outcome = decode(
      `{"device":"a","time":"${time}","readings":{"whole":9007199254740993,"serial":18446744073709551615,"fine":123456789.123456789,` +
        `"tiny":1e-400,"even":9007199254740992,"float":22.700000762939453,"long":0.10000000000000000555,"max":1.7976931348623157e308}}`,
    );
    expect(outcome.ok && outcome.message.rounded).toEqual(["whole", "serial", "fine", "tiny"]);
    expect(outcome.ok && readingsOf(outcome.message)[0]).toEqual(["whole", 9007199254740992]);
  });

  it("never throws, and accounts for every field that has a value", () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array(), fc.dictionary(fc.string(), fc.jsonValue()), (json, bytes, readings) => {
        decode(json);
        decodeMessage(bytes, bounds);
        const outcome = message({ readings });
        const fields = Object.values(readings).filter((value) => value !== null).length;
        if (outcome.ok) {
          const { values, texts, refused } = outcome.message;
          expect(values.length + texts.length + refused.length).toBe(fields);
        } else {
          expect(["noReadings", "tooManyReadings", "tooDeep"]).toContain(outcome.reason);
        }
      }),
    );
  });
});

describe("mapMessage", () => {
  const mapping = { device: "device", time: "ts", readings: "payload.data" };
  const map = (json: unknown) => mapMessage({ json, tokens: new Map() }, mapping).json;

  it("moves the mapped values and keeps the rest", () => {
    const foreign = { device: "a", ts: 5, payload: { data: { t: 1 } }, device_id: "5e:44" };
    expect(map(foreign)).toEqual({
      device: "a",
      time: 5,
      readings: { t: 1 },
      payload: { data: { t: 1 } },
      device_id: "5e:44",
    });
  });

  it("leaves what is missing for decoding to name, and what isn't an object as it is", () => {
    expect(map({ time: 1, readings: { a: 1 } })).toEqual({});
    expect(map([1])).toEqual([1]);
  });
});
