import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeMessage } from "@/server/domain/message";
import { arrayElements } from "./array-elements";
import { type Item, jsonItems, ndjsonItems } from "./items";

const bounds = { now: Date.UTC(2026, 10, 24), futureToleranceMs: 0, retentionMs: null };
const options = { mapping: null, bounds, maxMessages: 1000 };
const good = '{"device":"a","time":1,"readings":{"t":1}}';
const texts = (items: Iterable<Item>) => [...items].map(({ bytes }) => Buffer.from(bytes).toString());

test("the elements of an array are its own bytes, whatever is in them", () => {
  fc.assert(
    fc.property(fc.array(fc.json()), fc.constantFrom("", " ", "\n\t"), (elements, space) => {
      const body = Buffer.from(`${space}[${space}${elements.join(`${space},${space}`)}${space}]${space}`);
      expect([...arrayElements(body)].map(String)).toEqual(elements.map((element) => element.trim()));
    }),
  );
});

test("NDJSON lines go to the log as received; blank lines are not counted", () => {
  const items = [...ndjsonItems(Buffer.from(`\n${good}\r\n  \n${good} \n{"broken`), options)];
  expect(texts(items)).toEqual([good, `${good} `, '{"broken']);
  expect(items.map(({ outcome }) => outcome.ok)).toEqual([true, true, false]);
});

test("a JSON body is one message or an array of them, byte for byte", () => {
  const beyond = '{"device":"a","time":1,"readings":{"t":1e400,"u":1}}';
  expect(texts(jsonItems(Buffer.from(good), options))).toEqual([good]);
  expect(texts(jsonItems(Buffer.from(`[${good}, ${beyond},5]`), options))).toEqual([good, beyond, "5"]);
  expect(texts(jsonItems(Buffer.from("[]"), options))).toEqual([]);
});

test("broken JSON and broken UTF-8 are refused whole", () => {
  expect(() => texts(jsonItems(Buffer.from("[{}"), options))).toThrow(/unreadable-body/);
  expect(() => texts(jsonItems(Buffer.from([0x7b, 0xff, 0x7d]), options))).toThrow(/unreadable-body/);
});

test("too many messages are refused in either form", () => {
  const few = { ...options, maxMessages: 1 };
  expect(() => texts(jsonItems(Buffer.from(`[${good},${good}]`), few))).toThrow(/too-many-messages/);
  expect(() => texts(ndjsonItems(Buffer.from(`${good}\n${good}`), few))).toThrow(/too-many-messages/);
});

test("a message larger than a message may be is named as that", () => {
  const large = JSON.stringify({ device: "a", time: 1, readings: { t: "x".repeat(70_000) } });
  for (const items of [jsonItems(Buffer.from(`[${large}]`), options), ndjsonItems(Buffer.from(large), options)]) {
    expect([...items].map(({ outcome }) => !outcome.ok && outcome.reason)).toEqual(["tooLarge"]);
  }
});

test("foreign messages are mapped, and what is beyond a number stays so", () => {
  const mapping = { device: "device", time: "ts", readings: "data" };
  const line = '{"ts":1594512094.38,"device":"b8","data":{"co":0.004,"bad":1e400,"worse":-1e400},"x":1}';
  const [item] = [...ndjsonItems(Buffer.from(line), { ...options, mapping })];
  const decoded = decodeMessage(item!.bytes, bounds);
  expect(decoded).toEqual(item!.outcome);
  expect(decoded.ok && decoded.message.refused.map(({ field, reason }) => [field, reason])).toEqual([
    ["bad", "notFinite"],
    ["worse", "notFinite"],
  ]);
});
