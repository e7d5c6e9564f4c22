import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type KafkaServer, startKafka } from "@/e2e/engines/kafka";
import type { LogBatch, PartitionBounds } from "@/server/ports/event-log";
import { describeStartingEngines } from "@/server/testing/engines";
import { createBench, numbered, valuesOf } from "@/server/testing/event-log/bench";
import { until } from "@/server/testing/until";
import { Kafka, logLevel } from "./kafkajs";
import { openTestLog } from "./test-log";

const PATIENCE = { timeoutMs: 40_000 };

describeStartingEngines("positions in a Kafka that loses or replaces a log", () => {
  let kafka: KafkaServer;
  const bench = createBench(async () => ({ open: () => openTestLog(kafka.brokers), close: async () => undefined }));
  beforeAll(async () => {
    kafka = await startKafka();
    await bench.setUp();
  }, 120_000);
  afterAll(async () => {
    await bench.tearDown();
    await kafka.remove();
  }, 60_000);

  /** Removes what a partition holds from an offset that begins a batch on, as a disk that lost it would. */
  function cutOff(topic: string, from: number): void {
    const folder = path.join(kafka.dataDir, "log", `${topic}-0`);
    const [segment] = readdirSync(folder).filter((name) => name.endsWith(".log"));
    const file = path.join(folder, segment!);
    const bytes = readFileSync(file);
    let at = 0;
    while (at < bytes.length && Number(bytes.readBigInt64BE(at)) < from) at += 12 + bytes.readInt32BE(at + 8);
    expect(Number(bytes.readBigInt64BE(at))).toBe(from);
    truncateSync(file, at);
    // Indexes and checkpoints tell of what was there; a killed broker recovers without them.
    for (const name of readdirSync(folder))
      if (/\.(index|timeindex|snapshot)$/.test(name)) rmSync(path.join(folder, name));
    for (const name of ["recovery-point-offset-checkpoint", "replication-offset-checkpoint", ".kafka_cleanshutdown"])
      rmSync(path.join(kafka.dataDir, "log", name), { force: true });
  }

  it("tells where a lost tail began, also after the log has grown past it, with the id it had", async () => {
    const topic = await bench.newTopic(1);
    for (const from of [0, 10, 20]) await bench.first.log.append(topic, numbered(from, from + 10));
    const read: LogBatch[] = [];
    const before = await bench.collect(bench.first.log, topic, { onBatch: async (batch) => void read.push(batch) });
    await until(() => before.records().length === 30, PATIENCE);
    await before.stop();
    const { to, term } = read.at(-1)!;
    expect(to).toBe(30);
    const { topicId } = await bench.first.log.describe(topic, "group");

    await kafka.kill();
    cutOff(topic, 20);
    await kafka.start();
    await until(() => bench.first.log.append(topic, numbered(100, 115)).then(() => true), PATIENCE);
    const asked: PartitionBounds[] = [];
    const after = await bench.collect(bench.second.log, topic, {
      startAt: async (_, bounds) => {
        asked.push(bounds);
        return await bounds.endOfTerm(term!);
      },
    });
    await until(() => after.records().length >= 15, PATIENCE);
    expect(asked[0]).toMatchObject({ topicId, start: 0 });
    expect(asked[0]!.end).toBeGreaterThan(to);
    expect(after.records()[0]!.offset).toBe(20);
    expect(valuesOf(after.records()).slice(0, 15)).toEqual(
      valuesOf(after.records())
        .slice(0, 15)
        .toSorted((a, b) => a - b),
    );
    expect(after.batches.at(-1)!.term).toBeGreaterThan(term!);
    await after.stop();
  }, 180_000);

  it("tells another id once a topic was deleted and made anew under a consumer", async () => {
    const topic = await bench.newTopic(1);
    const admin = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await bench.first.log.append(topic, numbered(0, 5));
    const ids = new Set<string | null>();
    const reader = await bench.collect(bench.first.log, topic, {
      startAt: async (_, { topicId, start }) => {
        const isNew = !ids.has(topicId);
        ids.add(topicId);
        return isNew ? start : null;
      },
    });
    await until(() => reader.records().length === 5, PATIENCE);
    await admin.deleteTopics({ topics: [topic] });
    // At once, so that the consumer may not have noticed; that it is there before it has a leader is no failure.
    const made = { topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: false };
    await until(() => admin.createTopics(made), PATIENCE);
    // Past the old position.
    await until(() => bench.second.log.append(topic, numbered(50, 60)).then(() => true), PATIENCE);
    await until(() => reader.records().length >= 15, PATIENCE);
    expect(ids.size).toBe(2);
    expect(valuesOf(reader.records()).slice(-10)).toEqual(valuesOf(reader.records()).filter((value) => value >= 50));
    await reader.stop();
    await admin.disconnect();
  }, 120_000);
});
