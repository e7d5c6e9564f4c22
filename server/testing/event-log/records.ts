import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { until } from "../until";
import { type EventLogBench, expectDense, grouped, hex, PATIENCE, record, text } from "./bench";

/** Defines the tests of what a log promises about topics and the records in them. */
export function recordsContract(bench: EventLogBench): void {
  describe("topics", () => {
    it("are made once, by however many at a time", async () => {
      const topic = `contract-${randomBytes(6).toString("hex")}`;
      const settings = { topic, partitions: 3, retentionMs: 7_200_000, durable: true };
      const made = await Promise.all(
        [bench.first, bench.second, bench.first, bench.second].map(({ log }) => log.ensureTopics([settings])),
      );
      expect(made).toEqual([[], [], [], []]);
      const state = await bench.first.log.describe(topic, "nobody");
      expect(state).toMatchObject({ topic, members: 0 });
      expect(state.partitions).toEqual(
        [0, 1, 2].map((partition) => ({
          partition,
          start: 0,
          end: 0,
          readableEnd: 0,
          committed: null,
          oldestWaiting: null,
          owner: null,
        })),
      );
    });

    it("that exist stay as they are, and what differs is told", async () => {
      const topic = await bench.newTopic(2);
      const differences = await bench.second.log.ensureTopics([
        { topic, partitions: 5, retentionMs: 1_800_000, durable: true },
      ]);
      expect(differences).toContainEqual({ topic, setting: "partitions", wanted: "5", found: "2" });
      expect(differences).toContainEqual({ topic, setting: "retentionMs", wanted: "1800000", found: "3600000" });
      expect(differences.length).toBe(2);
      expect((await bench.first.log.describe(topic, "nobody")).partitions.length).toBe(2);
    });

    it("that don't exist are an outage, not a loss", async () => {
      await expect(bench.first.log.append("contract-none", [record("a", "1")])).rejects.toThrow(LogUnavailableError);
      await expect(bench.first.log.describe("contract-none", "group")).rejects.toThrow(LogUnavailableError);
    });
  });

  describe("records", () => {
    it("come back byte for byte, with their ingest time", async () => {
      const topic = await bench.newTopic(1);
      const before = Date.now();
      const sent: LogRecord[] = [
        { key: "device", value: Uint8Array.from({ length: 256 }, (_, byte) => byte) },
        { key: null, value: new Uint8Array() },
        { key: "", value: Buffer.from("\u0000\ufffe🌡") },
        { key: "ключ\u0000🌡", value: randomBytes(300_000) },
        { key: "x".repeat(500), value: Buffer.from("last") },
      ];
      await bench.first.log.append(topic, sent);
      await bench.first.log.append(topic, []);
      const consumer = await bench.collect(bench.second.log, topic);
      await until(() => consumer.records().length === sent.length, PATIENCE);
      const found = consumer.records();
      expect(found.map(({ key, value }) => ({ key, value: hex(value) }))).toEqual(
        sent.map(({ key, value }) => ({ key, value: hex(value) })),
      );
      expect(found.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
      for (const { ingestTime } of found) {
        expect(Number.isInteger(ingestTime)).toBe(true);
        expect(Math.abs(ingestTime - before)).toBeLessThan(60_000);
      }
      await consumer.stop();
    });

    it("carry headers, and have none when none were given", async () => {
      const topic = await bench.newTopic(1);
      const headers = { "resend-of": "cluster/topic/0/1/m", words: "ключ 🌡", long: "x".repeat(3000), empty: "" };
      const value = Buffer.from("v");
      await bench.first.log.append(topic, [record("a", "1"), { key: "b", value, headers }, record("c", "3")]);
      await bench.first.log.append(topic, [{ key: null, value, headers: {} }]);
      const consumer = await bench.collect(bench.second.log, topic);
      await until(() => consumer.records().length === 4, PATIENCE);
      expect(consumer.records().map((found) => found.headers)).toEqual([{}, headers, {}, {}]);
      await consumer.stop();
    });

    it("of one key stay in one partition, in order; appends of two processes leave no gap", async () => {
      const topic = await bench.newTopic(4);
      const consumer = await bench.collect(bench.first.log, topic);
      const writers = [bench.first, bench.second, bench.first, bench.second].map(async ({ log }, writer) => {
        for (let round = 0; round < 25; round++) {
          const records = Array.from({ length: 40 }, (_, index) =>
            record(`${writer}/${index % 10}`, `${round * 4 + Math.floor(index / 10)}`),
          );
          await log.append(topic, records);
        }
      });
      await Promise.all(writers);
      await until(() => consumer.records().length >= 4000, PATIENCE);
      const found = consumer.records();
      expect(found.length).toBe(4000);
      for (const partition of [0, 1, 2, 3])
        expectDense(
          found.filter((one) => one.partition === partition),
          0,
        );
      for (const [, records] of grouped(found, ({ key }) => key)) {
        expect(new Set(records.map(({ partition }) => partition)).size).toBe(1);
        expect(records.map(({ value }) => Number(text(value)))).toEqual(Array.from({ length: 100 }, (_, n) => n));
      }
      await consumer.stop();
    });

    it("without a key go to one partition a call, and not always to the same", async () => {
      const topic = await bench.newTopic(4);
      for (let call = 0; call < 40; call++) {
        await bench.first.log.append(
          topic,
          [1, 2, 3].map((n) => ({ key: null, value: Buffer.from(`${call}:${n}`) })),
        );
      }
      const consumer = await bench.collect(bench.first.log, topic);
      await until(() => consumer.records().length === 120, PATIENCE);
      const calls = grouped(consumer.records(), ({ value }) => text(value).split(":")[0]);
      const used = [...calls.values()].map((records) => new Set(records.map(({ partition }) => partition)));
      expect(used.every((partitions) => partitions.size === 1)).toBe(true);
      expect(new Set(used.flatMap((partitions) => [...partitions])).size).toBeGreaterThan(1);
      await consumer.stop();
    });

    it("come in batches within the bounds", async () => {
      const topic = await bench.newTopic(1);
      const sizes = [...Array<number>(250).fill(100), 50_000, 10, 9_000, 2_000, ...Array<number>(30).fill(3_000)];
      await bench.first.log.append(
        topic,
        sizes.map((size) => ({ key: null, value: Buffer.alloc(size) })),
      );
      const consumer = await bench.collect(bench.first.log, topic, { maxRecords: 70, maxBytes: 10_000 });
      await until(() => consumer.records().length === sizes.length, PATIENCE);
      expectDense(consumer.records(), 0);
      for (const { records } of consumer.batches) {
        const bytes = records.reduce((sum, { value }) => sum + value.byteLength, 0);
        expect(records.length).toBeLessThanOrEqual(70);
        expect(bytes <= 10_000 || records.length === 1).toBe(true);
      }
      expect(consumer.batches.every(({ end }) => end === sizes.length)).toBe(true);
      await consumer.stop();
    });
  });
}
