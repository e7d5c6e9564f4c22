import { randomBytes } from "node:crypto";
import type { Admin, Producer, Transaction } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWithKafka } from "@/server/testing/engines";
import { createBench, gateOf, numbered, text } from "@/server/testing/event-log/bench";
import { until } from "@/server/testing/until";
import { Kafka, logLevel } from "./kafkajs";
import { openTestLog } from "./test-log";

const PATIENCE = { timeoutMs: 30_000 };

describeWithKafka("with Kafka", (brokers) => {
  describe("transactions and compaction", { timeout: 120_000 }, () => {
    const bench = createBench(async () => ({
      open: () => openTestLog(brokers, { lookAhead: 300 }),
      close: async () => undefined,
    }));
    let client: Kafka;
    let admin: Admin;
    const producers: Producer[] = [];
    beforeAll(async () => {
      client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
      admin = client.admin();
      await admin.connect();
      await bench.setUp();
    });
    afterAll(async () => {
      await bench.tearDown();
      await Promise.all([admin, ...producers].map((one) => one.disconnect()));
    });

    const producer = async () => {
      const transactionalId = `tx-${randomBytes(6).toString("hex")}`;
      const made = client.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
      producers.push(made);
      await made.connect();
      return made;
    };
    const send = (transaction: Transaction, topic: string, ...values: string[]) =>
      transaction.send({ topic, messages: values.map((value) => ({ key: "k", value, partition: 0 })) });
    const commit = async (from: Producer, topic: string, ...values: string[]) => {
      const transaction = await from.transaction();
      await send(transaction, topic, ...values);
      await transaction.commit();
    };
    const abort = async (from: Producer, topic: string, ...values: string[]) => {
      const transaction = await from.transaction();
      await send(transaction, topic, ...values);
      await transaction.abort();
    };
    const stateOf = async (topic: string) => (await bench.second.log.describe(topic, "group")).partitions[0]!;
    /** Waits until the group is where the log ends, which it is told there. */
    const caughtUp = (topic: string) =>
      until(async () => {
        const { committed, end, readableEnd } = await stateOf(topic);
        return committed === end && readableEnd === end;
      }, PATIENCE);
    /** Batches are to join on to each other from `from` on, whatever they hold. */
    const expectWhole = (batches: readonly { from: number; to: number }[], from = 0) => {
      for (const batch of batches) {
        expect(batch.from).toBe(from);
        from = batch.to;
      }
      return from;
    };

    it("are read with nothing left out, nothing begun anew, and no lag afterwards", async () => {
      const topic = await bench.newTopic(1);
      const sender = await producer();
      let starts = 0;
      const reader = await bench.collect(bench.first.log, topic, {
        startAt: async () => {
          starts += 1;
          return null;
        },
      });
      await commit(sender, topic, "1");
      await abort(sender, topic, "aborted");
      await commit(sender, topic, "2", "3");
      for (let n = 4; n < 24; n++) await commit(sender, topic, String(n));
      await abort(sender, topic, "aborted", "too");
      await caughtUp(topic);
      expect(reader.records().map(({ value }) => Number(text(value)))).toEqual(
        Array.from({ length: 23 }, (_, n) => n + 1),
      );
      expect(expectWhole(reader.batches)).toBe((await stateOf(topic)).end);
      expect({ starts, errors: reader.errors }).toEqual({ starts: 1, errors: [] });
      await reader.stop();
    });

    it("that were all aborted are nothing, at the start and alone", async () => {
      const topic = await bench.newTopic(1);
      const sender = await producer();
      await abort(sender, topic, "aborted");
      const reader = await bench.collect(bench.first.log, topic);
      await caughtUp(topic);
      expect(reader.records()).toEqual([]);
      expect(expectWhole(reader.batches)).toBe(2);
      await commit(sender, topic, "1");
      await caughtUp(topic);
      expect(reader.records().map(({ value }) => text(value))).toEqual(["1"]);
      await reader.stop();
    });

    it("hold back what comes after them while they are open, and that is told", async () => {
      const topic = await bench.newTopic(1);
      const sender = await producer();
      await bench.first.log.append(topic, numbered(0, 5));
      const reader = await bench.collect(bench.first.log, topic);
      await until(() => reader.records().length === 5, PATIENCE);
      const open = await sender.transaction();
      await send(open, topic, "100");
      const before = Date.now();
      await bench.first.log.append(topic, numbered(5, 8));
      await until(async () => (await stateOf(topic)).oldestWaiting !== null, PATIENCE);
      const state = await stateOf(topic);
      expect(state).toMatchObject({ committed: 5, readableEnd: 5, end: 9 });
      expect(Math.abs(state.oldestWaiting! - before)).toBeLessThan(30_000);
      expect(reader.records().length).toBe(5);
      await open.commit();
      await caughtUp(topic);
      expect(reader.records().map(({ value }) => Number(text(value)))).toEqual([0, 1, 2, 3, 4, 100, 5, 6, 7]);
      expect(expectWhole(reader.batches)).toBe(10);
      await reader.stop();
    });

    it("span batches and a change of worker in the middle, and interleave", async () => {
      const topic = await bench.newTopic(1);
      const [one, other] = [await producer(), await producer()];
      const long = await one.transaction();
      const short = await other.transaction();
      const values = (prefix: string, from: number) => Array.from({ length: 10 }, (_, n) => `${prefix}${from + n}`);
      for (let n = 0; n < 50; n += 10) {
        await send(long, topic, ...values("long-", n));
        await send(short, topic, ...values("short-", n));
      }
      await long.commit();
      await short.abort();
      const gate = gateOf();
      const first = await bench.collect(bench.first.log, topic, {
        maxRecords: 7,
        onBatch: async ({ records }) => {
          if (records.some(({ value }) => text(value) === "long-20")) await gate.pass();
        },
      });
      await gate.reached;
      const stopped = first.stop();
      gate.open();
      await stopped;
      const second = await bench.collect(bench.second.log, topic, { maxRecords: 7 });
      await caughtUp(topic);
      const read = [...first.records(), ...second.records()].map(({ value }) => text(value));
      expect(read).toEqual(Array.from({ length: 50 }, (_, n) => `long-${n}`));
      expectWhole(second.batches, expectWhole(first.batches));
      await second.stop();
    });

    it("that interleave and are aborted in another order deliver nothing of either, wherever reading begins", async () => {
      const topic = await bench.newTopic(1);
      const [one, other] = [await producer(), await producer()];
      const outer = await one.transaction();
      const inner = await other.transaction();
      await send(outer, topic, "outer");
      await send(inner, topic, "inner");
      await send(outer, topic, "outer");
      await send(inner, topic, "inner");
      await inner.abort();
      await send(outer, topic, "outer");
      await outer.abort();
      // Kafka answers before it writes the marks of the ends, and what is appended meanwhile would stand before them.
      await until(async () => {
        const { end, readableEnd } = await stateOf(topic);
        return end === 7 && readableEnd === 7;
      }, PATIENCE);
      await bench.first.log.append(topic, numbered(7, 8));
      for (const from of [0, 1, 2, 3, 4, 5, 6]) {
        const reader = await bench.collect(bench.first.log, topic, {
          group: `from-${from}`,
          startAt: async () => from,
        });
        await until(() => reader.batches.some(({ to }) => to === 8), PATIENCE);
        expect(reader.records().map(({ value }) => text(value))).toEqual(["7"]);
        await reader.stop();
      }
    });

    it("compacted records are nothing: neither between others, nor at the start, nor at the end", async () => {
      const topic = `compacted-${randomBytes(6).toString("hex")}`;
      await admin.createTopics({
        topics: [
          {
            topic,
            numPartitions: 1,
            configEntries: Object.entries({
              "cleanup.policy": "compact",
              "min.cleanable.dirty.ratio": "0.001",
              "segment.ms": "300",
              "max.compaction.lag.ms": "300",
              "delete.retention.ms": "0",
              "file.delete.delay.ms": "100",
            }).map(([name, value]) => ({ name, value })),
          },
        ],
      });
      const plain = client.producer();
      producers.push(plain);
      await plain.connect();
      const put = (key: string, value: string | null) => plain.send({ topic, messages: [{ key, value }] });
      const sender = await producer();
      for (let n = 0; n < 5; n++) await put("a", String(n));
      await put("b", "kept");
      await commit(sender, topic, "in a transaction");
      for (let n = 5; n < 9; n++) await put("a", String(n));
      // Writes on, so that segments roll: those before are fit for compaction then.
      const held = async () => {
        await put("z", "last");
        const once = await bench.collect(bench.first.log, topic, { group: randomBytes(6).toString("hex") });
        const { end } = await stateOf(topic);
        await until(() => once.batches.some(({ to }) => to >= end), PATIENCE);
        const keys = once.records().map(({ key }) => key);
        expectWhole(once.batches);
        await once.stop();
        return keys;
      };
      await until(async () => (await held()).filter((key) => key === "a").length <= 1, {
        timeoutMs: 90_000,
        everyMs: 1000,
      });
      const reader = await bench.collect(bench.first.log, topic);
      await caughtUp(topic);
      expect(reader.records().map(({ value }) => text(value))).toEqual(
        expect.arrayContaining(["kept", "in a transaction", "8"]),
      );
      expect(expectWhole(reader.batches)).toBe((await stateOf(topic)).end);
      await reader.stop();
    });
  });
});
