import { randomBytes } from "node:crypto";
import fc from "fast-check";
import type { Admin } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { partitionOf } from "@/server/adapters/partitioner";
import { type LogRecord, LogUnavailableError } from "@/server/ports/event-log";
import { describeWithKafka } from "@/server/testing/engines";
import { eventLogContract } from "@/server/testing/event-log.contract";
import { createBench, gateOf, numbered, record, text } from "@/server/testing/event-log/bench";
import { until } from "@/server/testing/until";
import { sendingsOf } from "./event-log/append";
import { readJoin } from "./event-log/join-gate";
import { Kafka, logLevel, Partitioners } from "./kafkajs";
import { openTestLog } from "./test-log";

const PATIENCE = { timeoutMs: 30_000 };

describeWithKafka("with Kafka", (brokers) => {
  const createFixture = async () => ({ open: () => openTestLog(brokers), close: async () => undefined });
  eventLogContract("kafka", createFixture);

  describe("event log on Kafka", { timeout: 120_000 }, () => {
    const bench = createBench(createFixture);
    let client: Kafka;
    let admin: Admin;
    beforeAll(async () => {
      client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
      admin = client.admin();
      await admin.connect();
      await bench.setUp();
    });
    afterAll(async () => {
      await bench.tearDown();
      await admin.disconnect();
    });

    it("makes topics with the retention and the clock that were asked for, and tells what another made otherwise", async () => {
      const topic = `made-${randomBytes(6).toString("hex")}`;
      await admin.createTopics({
        topics: [{ topic, numPartitions: 2, replicationFactor: 1 }],
      });
      const settings = { topic, partitions: 2, retentionMs: 600_000, durable: false };
      const found = await bench.first.log.ensureTopics([{ ...settings, replication: 3 }]);
      expect([...found].sort((a, b) => (a.setting < b.setting ? -1 : 1))).toEqual([
        { topic, setting: "replication", wanted: "3", found: "1" },
        { topic, setting: "retentionMs", wanted: "600000", found: "604800000" },
        { topic, setting: "timestamps", wanted: "LogAppendTime", found: "CreateTime" },
      ]);
      const own = `${topic}-own`;
      expect(await bench.first.log.ensureTopics([{ ...settings, topic: own, replication: 1 }])).toEqual([]);
      expect(await bench.second.log.ensureTopics([{ ...settings, topic: own, replication: 1 }])).toEqual([]);
    });

    it("refuses what Kafka will never take as a mistake, not as an outage", async () => {
      const topic = await bench.newTopic(1);
      const tooLarge = { key: null, value: randomBytes(2 * 1024 * 1024) };
      await expect(bench.first.log.append(topic, [tooLarge])).rejects.toMatchObject({ type: "MESSAGE_TOO_LARGE" });
      await bench.first.log.append(topic, numbered(0, 1));
      await expect(
        bench.first.log.ensureTopics([{ topic: "no topic's name", partitions: 1, retentionMs: 1e6, durable: true }]),
      ).rejects.toMatchObject({ type: "INVALID_TOPIC_EXCEPTION" });
    });

    it("answers every question about several topics that are asked at once", async () => {
      const own = await openTestLog(brokers, { metadataMaxAge: 0 });
      const [one, other] = [await bench.newTopic(3), await bench.newTopic(2)];
      const rounds = async (ask: () => Promise<unknown>) => {
        for (let answered = 0; answered < 30;)
          await ask().then(
            () => (answered += 1),
            (error: unknown) => {
              // Too late for its limit, on a busy machine: that is no wrong answer.
              if (!(error instanceof LogUnavailableError) || error.cause !== undefined) throw error;
            },
          );
      };
      await Promise.all([
        rounds(() => own.log.append(one, numbered(0, 1))),
        rounds(() => own.log.append(other, numbered(0, 1))),
        rounds(() => own.log.describe(one, one)),
        rounds(() => own.log.describe(other, other)),
      ]);
      await own.log.close();
    });

    it("calls every question that a lost connection leaves without an answer an outage", async () => {
      const own = await openTestLog(brokers, { metadataMaxAge: 0 });
      const topic = await bench.newTopic(3);
      const refusals: unknown[] = [];
      for (let round = 0; round < 10; round++) {
        await until(() => own.log.describe(topic, topic).then(() => true), PATIENCE);
        const asked = [
          own.log.describe(topic, topic),
          own.log.describe(topic, topic),
          own.log.append(topic, numbered(0, 1)),
        ];
        await own.cut();
        for (const answer of await Promise.allSettled(asked))
          if (answer.status === "rejected") refusals.push(answer.reason);
        await own.restore();
      }
      expect(refusals.length).toBeGreaterThan(0);
      expect(refusals.filter((reason) => !(reason instanceof LogUnavailableError))).toEqual([]);
      await own.log.close();
    });

    it("takes large calls apart, each partition in order", async () => {
      const topic = await bench.newTopic(2);
      const padding = "x".repeat(2000);
      await bench.first.log.append(
        topic,
        Array.from({ length: 5000 }, (_, n) => record(`${n % 10}`, `${n}:${padding}`)),
      );
      const reader = await bench.collect(bench.second.log, topic, { group: topic });
      await until(() => reader.records().length === 5000, PATIENCE);
      for (const partition of [0, 1]) {
        const numbers = reader
          .records()
          .filter((one) => one.partition === partition)
          .map(({ value }) => Number(text(value).split(":")[0]));
        expect(numbers.length).toBeGreaterThan(0);
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      }
      await reader.stop();
    });

    it("tells when Kafka took a record, whatever its sender's clock says", async () => {
      const topic = await bench.newTopic(1);
      const before = Date.now();
      const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      await producer.send({ topic, messages: [{ key: "a", value: "1", timestamp: "1000" }] });
      await producer.disconnect();
      const reader = await bench.collect(bench.second.log, topic, { group: topic });
      await until(() => reader.records().length === 1, PATIENCE);
      expect(Math.abs(reader.records()[0]!.ingestTime - before)).toBeLessThan(60_000);
      await reader.stop();
    });

    it("finds out since when records wait", async () => {
      const topic = await bench.newTopic(2);
      const gate = gateOf();
      const seen: number[] = [];
      const reader = await bench.collect(bench.first.log, topic, {
        group: topic,
        maxRecords: 1,
        onBatch: async ({ records }) => {
          seen.push(records[0]!.ingestTime);
          if (seen.length > 1) await gate.pass();
        },
      });
      const began = performance.now();
      await bench.first.log.append(topic, [record("a", "1")]);
      await until(() => performance.now() - began > 700, PATIENCE);
      await bench.first.log.append(topic, [record("a", "2"), record("a", "3")]);
      await gate.reached;
      const waiting = seen[1]!;
      const { partition } = (await until(() => reader.batches[0], PATIENCE))!;
      await until(
        async () => (await bench.second.log.describe(topic, topic)).partitions[partition]?.committed === 1,
        PATIENCE,
      );
      for (const age of [0, 1500, 3000]) {
        await until(() => Date.now() - waiting >= age, PATIENCE);
        // It is left out of an answer when there was no time to find it.
        const partitions = await until(async () => {
          const state = await bench.second.log.describe(topic, topic);
          return state.partitions[partition]!.oldestWaiting === null ? null : state.partitions;
        }, PATIENCE);
        const found = partitions[partition]!.oldestWaiting!;
        expect(found).toBeGreaterThanOrEqual(waiting);
        expect(found - waiting).toBeLessThanOrEqual(Math.max(50, 0.06 * (Date.now() - waiting)));
        expect(partitions[1 - partition]!.oldestWaiting).toBeNull();
      }
      gate.open();
      await until(() => reader.records().length === 3, PATIENCE);
      await reader.stop();
    });

    it("names the owner of a partition", async () => {
      const topic = await bench.newTopic(1);
      const reader = await bench.collect(bench.first.log, topic, { group: topic });
      await until(() => reader.assigned().length === 1, PATIENCE);
      const { partitions } = await until(() => bench.second.log.describe(topic, topic), PATIENCE);
      const { owner } = partitions[0]!;
      expect(owner).toMatch(/^fieldwatch test .+:\d+$/);
      await reader.stop();
    });
  });
});

describe("sends", () => {
  const anyRecord = fc.record({
    key: fc.option(fc.string({ maxLength: 20 })),
    value: fc.nat(500_000).map((size) => Buffer.alloc(size)),
  });

  it("hold no more of a partition than one batch may, and keep each partition's order", () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyRecord, { maxLength: 20 }), { maxLength: 5 }), (calls: LogRecord[][]) => {
        const placed = calls.map((records, at) => ({ records, keyless: at % 3 }));
        const sends = sendingsOf("topic", placed, 3);
        for (const { byPartition } of sends)
          for (const messages of byPartition.values()) {
            const bytes = messages.reduce((sum, { value }) => sum + value!.length, 0);
            expect(bytes <= 900_000 || messages.length === 1).toBe(true);
          }
        for (const partition of [0, 1, 2]) {
          const expected = placed.flatMap(({ records, keyless }) =>
            records.filter(({ key }) => (key === null ? keyless : partitionOf(key, 3)) === partition),
          );
          const found = sends.flatMap(({ byPartition }) => byPartition.get(partition) ?? []);
          expect(found.length).toBe(expected.length);
          expect(found.every(({ key, value }, at) => key === expected[at]!.key && value === expected[at]!.value)).toBe(
            true,
          );
        }
      }),
      { numRuns: 50 },
    );
  });

  it("put keys where Kafka's clients put them", () => {
    const choose = Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 64 }), (key, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
          partitionId,
          partitionErrorCode: 0,
          leader: 1,
          replicas: [1],
          isr: [1],
        }));
        const message = { key, value: "" };
        expect(partitionOf(key, partitions)).toBe(choose({ topic: "topic", partitionMetadata, message }));
      }),
      { numRuns: 30 },
    );
  });
});

describe("the gate of joins", () => {
  /** Lays out a JoinGroup request of version 5 as Kafka's protocol does. */
  function request(apiKey: number, memberId: string): Buffer {
    const text = (value: string) => {
      const bytes = Buffer.from(value);
      const size = Buffer.alloc(2);
      size.writeInt16BE(bytes.length);
      return Buffer.concat([size, bytes]);
    };
    const head = Buffer.alloc(12);
    head.writeInt16BE(apiKey, 4);
    head.writeInt16BE(5, 6);
    return Buffer.concat([head, text("client"), text("group"), Buffer.alloc(8), text(memberId), Buffer.alloc(20)]);
  }

  it("knows requests to join, and whether they come from a member", () => {
    expect(readJoin(request(11, "member-1"))).toEqual({ asMember: true });
    expect(readJoin(request(11, ""))).toEqual({ asMember: false });
    expect(readJoin(request(12, "member-1"))).toBeNull();
    expect(readJoin(Buffer.alloc(3))).toBeNull();
  });
});
