import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeMessage } from "@/server/domain/decode-message";
import type { LogRecord } from "@/server/ports/event-log";
import { createAccept } from "./accept";
import { arrayElements } from "./array-elements";
import { noIngestCounts } from "./ingest-rates";
import { judgePayload, judgePayloads } from "./judge-payload";
import { jsonPayloads, ndjsonPayloads, type Payloads } from "./payloads";
import { newUse } from "./sender";
import { createWaitingBytes } from "./waiting-bytes";

const bounds = { now: Date.UTC(2026, 10, 24), futureToleranceMs: 0, retentionMs: null };
const good = '{"device":"a","time":1,"readings":{"t":1}}';
const textsOf = ({ each }: Payloads) => [...each].map((bytes) => Buffer.from(bytes).toString());

/** Returns what is taken of a body, as texts of what the log got, and what is refused. */
async function taken(payloads: Payloads, maxMessages = 1000) {
  const log: LogRecord[] = [];
  const accept = createAccept({
    eventLog: { append: async (_topic, records) => void log.push(...records) },
    maxMessages,
    appendTimeoutMs: 1000,
    admission: { of: async () => ({ look: () => ({ ok: true, headers: null }), ask: async () => [] }) },
    pace: { spend: () => {} },
    bounds: () => bounds,
    counts: noIngestCounts,
  });
  const { rejected } = await accept(
    (bounds) => judgePayloads(payloads, null, bounds),
    { headers: null, sender: { id: "a", device: null, sites: "all", isLimited: true, use: newUse() } },
    createWaitingBytes(1e6).share(newUse()),
  );
  return {
    texts: log.map(({ value }) => Buffer.from(value).toString()),
    reasons: rejected.map(({ reason }) => reason),
  };
}

test("the elements of an array are its own bytes, whatever is in them", () => {
  fc.assert(
    fc.property(fc.array(fc.json()), fc.constantFrom("", " ", "\n\t"), (elements, space) => {
      const body = Buffer.from(`${space}[${space}${elements.join(`${space},${space}`)}${space}]${space}`);
      expect([...arrayElements(body)].map(String)).toEqual(elements.map((element) => element.trim()));
    }),
  );
});

test("an array is taken exactly when it is JSON, however it is broken", async () => {
  const piece = fc.constantFrom("[", "]", "{", "}", ",", '"', "\\", ":", "1", good, '"a"', " ", "x");
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const text = `[${good},${pieces.join("")}]`;
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      const outcome = taken(jsonPayloads(Buffer.from(text)));
      if (isJson) expect((await outcome).texts[0]).toBe(good);
      else await expect(outcome).rejects.toMatchObject({ kind: "unreadable-body" });
    }),
    { numRuns: 300 },
  );
});

test("NDJSON lines go to the log as received; blank lines are not counted", async () => {
  const body = Buffer.from(`\n${good}\r\n  \n${good} \n{"broken`);
  expect(textsOf(ndjsonPayloads(body))).toEqual([good, `${good} `, '{"broken']);
  expect(await taken(ndjsonPayloads(body))).toEqual({ texts: [good, `${good} `], reasons: ["notJson"] });
});

test("a JSON body is one message or an array of them, byte for byte", async () => {
  const beyond = '{"device":"a","time":1,"readings":{"t":1e400,"u":1}}';
  expect(textsOf(jsonPayloads(Buffer.from(good)))).toEqual([good]);
  expect(textsOf(jsonPayloads(Buffer.from(`\ufeff [${good}, ${beyond},5]`)))).toEqual([good, beyond, "5"]);
  expect(await taken(jsonPayloads(Buffer.from(`[${good}, ${beyond},5]`)))).toEqual({
    texts: [good, beyond],
    reasons: ["notJson"],
  });
  await expect(taken(jsonPayloads(Buffer.from("[]")))).rejects.toMatchObject({ kind: "empty-request" });
});

test("broken JSON and broken UTF-8 are refused whole", async () => {
  for (const body of [Buffer.from("[{}"), Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from(`[${good},]`)])
    await expect(taken(jsonPayloads(body))).rejects.toMatchObject({ kind: "unreadable-body" });
});

test("too many messages are refused in either form", async () => {
  for (const payloads of [
    jsonPayloads(Buffer.from(`[${good},${good}]`)),
    ndjsonPayloads(Buffer.from(`${good}\n${good}`)),
  ])
    await expect(taken(payloads, 1)).rejects.toMatchObject({ kind: "too-many-messages" });
});

test("a message larger than a message may be is named as that", async () => {
  const large = JSON.stringify({ device: "a", time: 1, readings: { t: "x".repeat(70_000) } });
  for (const payloads of [
    jsonPayloads(Buffer.from(`[${good},${large}]`)),
    ndjsonPayloads(Buffer.from(`${good}\n${large}`)),
  ])
    expect((await taken(payloads)).reasons).toEqual(["tooLarge"]);
});

test("NaN and Infinity cost their field alone, in either form, and reach the log as they were sent", async () => {
  const odd = '{"device":"a","time":1,"readings":{"t":1,"dew": NaN,"u":-Infinity}}';
  for (const payloads of [
    jsonPayloads(Buffer.from(`[${odd},${good}]`)),
    ndjsonPayloads(Buffer.from(`${odd}\n${good}`)),
  ])
    expect(await taken(payloads)).toEqual({ texts: [odd, good], reasons: [] });
  expect(await taken(jsonPayloads(Buffer.from(odd)))).toEqual({ texts: [odd], reasons: [] });
});

test("timers and sockets get their turn while a large body is judged", async () => {
  const many = Buffer.from(Array.from({ length: 60_000 }, () => good).join("\n"));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await taken(ndjsonPayloads(many), 60_000);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(1);
});

test("foreign messages are mapped, and what is beyond a number stays so", () => {
  const mapping = { device: "device", time: "ts", readings: "data" };
  const line =
    '{"ts":1594512094.38,"device":"b8","data":{"co":0.004,"bad":1e400,"worse":-1e400,"none":NaN,"whole":9007199254740993},"x":1}';
  const { bytes, outcome } = judgePayload(Buffer.from(line), mapping, bounds);
  const decoded = decodeMessage(bytes, bounds);
  expect(decoded).toEqual(outcome);
  expect(decoded.ok && decoded.message.refused.map(({ field, reason }) => [field, reason])).toEqual([
    ["bad", "notFinite"],
    ["worse", "notFinite"],
    ["none", "notFinite"],
  ]);
  expect(decoded.ok && decoded.message.rounded).toEqual(["whole"]);
});
