import type { Admin } from "kafkajs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type KafkaServer, startKafka } from "@/e2e/engines/kafka";
import { LogUnavailableError } from "@/server/ports/event-log";
import { describeStartingEngines } from "@/server/testing/engines";
import { createBench, gateOf, numbered, range, valuesOf } from "@/server/testing/event-log/bench";
import { until } from "@/server/testing/until";
import { Kafka, logLevel } from "./kafkajs";
import { openTestLog } from "./test-log";

const PATIENCE = { timeoutMs: 45_000 };
const TEST = { timeout: 240_000 };
const TIMES = { session: 6000, heartbeat: 300, rebalance: 8000, metadataMaxAge: 1000 };

describeStartingEngines("event log on a Kafka that changes", () => {
  let kafka: KafkaServer;
  const bench = createBench(async () => ({
    open: () => openTestLog(kafka.brokers, TIMES),
    close: async () => undefined,
  }));
  beforeAll(async () => {
    kafka = await startKafka({ heap: "512m" });
    await bench.setUp();
  }, 180_000);
  afterAll(async () => {
    await bench.tearDown();
    await kafka?.remove();
  }, 120_000);

  /** Does what an operator would do, by other means than the log. */
  async function operate(work: (admin: Admin) => Promise<unknown>): Promise<void> {
    const admin = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  it("keeps a partition during a batch much longer than the session", TEST, async () => {
    const topic = await bench.newTopic(1);
    const group = topic;
    const idle = await bench.collect(bench.second.log, topic, { group });
    const owner = await bench.collect(bench.first.log, topic, { group });
    await until(() => idle.assigned().length + owner.assigned().length === 1, PATIENCE);
    await idle.stop();
    await owner.stop();

    let aborted = false;
    const gate = gateOf();
    const busy = await bench.collect(bench.first.log, topic, {
      group,
      onBatch: (_, signal) => {
        signal.addEventListener("abort", () => (aborted = true));
        return gate.pass();
      },
    });
    await bench.first.log.append(topic, numbered(0, 20));
    await gate.reached;
    const began = performance.now();
    await until(() => performance.now() - began > 2 * TIMES.session, PATIENCE);
    const { members } = await until(() => bench.second.log.describe(topic, group), PATIENCE);
    expect(members).toBe(1);
    expect(busy.assigned()).toEqual([0]);
    gate.open();
    await until(() => busy.records().length === 20, PATIENCE);
    await until(async () => (await bench.second.log.describe(topic, group)).partitions[0]?.committed === 20, PATIENCE);
    expect(aborted).toBe(false);
    expect(busy.errors).toEqual([]);
    await busy.stop();
  });

  it("aborts and doesn't commit a batch that Kafka won't wait for in a rebalance", TEST, async () => {
    const topic = await bench.newTopic(2);
    const group = topic;
    await bench.first.log.append(topic, numbered(0, 100));
    let aborts = 0;
    const gate = gateOf();
    const stubborn = await bench.collect(bench.first.log, topic, {
      group,
      onBatch: async (_, signal) => {
        if (aborts > 0) return;
        void gate.pass();
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        aborts += 1;
        throw new Error("aborted");
      },
    });
    await gate.reached;
    const other = await bench.collect(bench.second.log, topic, { group });
    await until(() => stubborn.assigned().length === 1 && other.assigned().length === 1, PATIENCE);
    await until(() => stubborn.records().length + other.records().length >= 100, PATIENCE);
    expect(aborts).toBeGreaterThan(0);
    expect(valuesOf([...stubborn.records(), ...other.records()])).toEqual(range(0, 100));
    expect(stubborn.errors).toEqual([]);
    await stubborn.stop();
    await other.stop();
  });

  it("takes up partitions that are added while it runs", TEST, async () => {
    const topic = await bench.newTopic(1);
    const worker = await bench.collect(bench.first.log, topic, { group: topic });
    const live = await bench.collect(bench.second.log, topic, { group: null });
    await bench.first.log.append(topic, numbered(0, 10));
    await until(() => worker.records().length >= 10 && live.records().length >= 10, PATIENCE);
    await operate((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] }));
    let sent = 10;
    // All of them are asked sooner or later; senders see a topic that changes as an outage.
    await until(async () => {
      await bench.first.log.append(topic, numbered(sent, sent + 50));
      sent += 50;
      const { partitions } = await bench.first.log.describe(topic, topic);
      return partitions.length === 4 && partitions.every(({ end }) => end > 0);
    }, PATIENCE);
    for (const consumer of [worker, live]) {
      await until(() => consumer.assigned().length === 4, PATIENCE);
      await until(() => new Set(valuesOf(consumer.records())).size === sent, PATIENCE);
    }
    await worker.stop();
    await live.stop();
  });

  it("tells of a topic that is deleted, and goes on with the new one from its start", TEST, async () => {
    const topic = await bench.newTopic(1);
    const bounds: number[][] = [];
    const worker = await bench.collect(bench.first.log, topic, {
      group: topic,
      startAt: async (_, { start, end }) => {
        bounds.push([start, end]);
        return null;
      },
    });
    await bench.second.log.append(topic, numbered(0, 30));
    await until(() => worker.records().length === 30, PATIENCE);
    await operate((admin) => admin.deleteTopics({ topics: [topic] }));
    await until(() => worker.errors.length > 0, PATIENCE);
    expect(worker.errors[0]).toBeInstanceOf(LogUnavailableError);
    for (const ask of [
      () => bench.second.log.describe(topic, topic),
      () => bench.second.log.append(topic, numbered(100, 101)),
    ])
      await until(
        () =>
          ask().then(
            () => false,
            (error: unknown) => String(error).includes(`no topic ${topic}`),
          ),
        PATIENCE,
      );
    await bench.second.log.ensureTopics([{ topic, partitions: 1, retentionMs: 3_600_000, durable: true }]);
    await until(() => bench.second.log.append(topic, numbered(100, 110)).then(() => true), PATIENCE);
    await until(() => worker.records().length >= 40, PATIENCE);
    expect(valuesOf(worker.records().slice(30))).toEqual(range(100, 110));
    expect(worker.records()[30]?.offset).toBe(0);
    expect(bounds.length).toBeGreaterThan(1);
    await worker.stop();
  });

  it("asks anew where to begin when records expire before they are read", TEST, async () => {
    const topic = await bench.newTopic(1);
    const open = await openTestLog(kafka.brokers, TIMES);
    const bounds: number[][] = [];
    const worker = await bench.collect(open.log, topic, {
      group: topic,
      startAt: async (_, { start, end }) => {
        bounds.push([start, end]);
        return null;
      },
    });
    await bench.first.log.append(topic, numbered(0, 10));
    await until(() => worker.records().length === 10, PATIENCE);
    await open.cut();
    await bench.first.log.append(topic, numbered(10, 30));
    await operate(async (admin) => {
      // kafkajs deletes only in topics it has heard of.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "20" }] });
    });
    await open.restore();
    await until(() => worker.records().length === 20, PATIENCE);
    expect(valuesOf(worker.records())).toEqual([...range(0, 10), ...range(20, 30)]);
    expect(bounds.at(-1)).toEqual([20, 30]);
    await worker.stop();
    await open.log.close();
  });
});
