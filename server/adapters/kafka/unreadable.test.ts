import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { damageBatch, garbled, withCodec } from "@/e2e/engines/damage";
import { sendByJava } from "@/e2e/engines/java-producers";
import { type KafkaServer, startKafka } from "@/e2e/engines/kafka";
import type { UnreadableBatch } from "@/server/domain/unreadable";
import { UnreadableBatchError } from "@/server/ports/event-log";
import { describeStartingEngines } from "@/server/testing/engines";
import { createBench, range, text } from "@/server/testing/event-log/bench";
import { until } from "@/server/testing/until";
import { openTestLog } from "./test-log";

const PATIENCE = { timeoutMs: 90_000 };
const TEST = { timeout: 240_000 };

describeStartingEngines("batches of other producers on Kafka", () => {
  let dataDir: string;
  let kafka: KafkaServer;
  const bench = createBench(async () => ({ open: () => openTestLog(kafka.brokers), close: async () => undefined }));
  beforeAll(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), "fieldwatch-batches-"));
    kafka = await startKafka({ dataDir, heap: "512m" });
    await bench.setUp();
  }, 180_000);
  afterAll(async () => {
    await bench.tearDown();
    await kafka?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  }, 120_000);

  const send = (topic: string, count: number, codecs: Readonly<Record<number, string>>) =>
    sendByJava(kafka.brokers, topic, count, codecs);
  /** Changes the first batch of a partition. */
  const damage = (topic: string, partition: number, change: (batch: Buffer) => void, crc: "right" | "stale") =>
    damageBatch(kafka, { topic, partition, offset: 0 }, change, crc);

  it("are read in every codec that Java's producer has", TEST, async () => {
    const codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    const topic = await bench.newTopic(codecs.length);
    // Several blocks of 64 KiB each, and several batches.
    await send(topic, 8_000, { ...codecs });
    const consumer = await bench.collect(bench.first.log, topic, { group: topic });
    await until(() => consumer.records().length >= codecs.length * 8_000, PATIENCE);
    for (const [partition, codec] of codecs.entries()) {
      const own = consumer.batches.filter((batch) => batch.partition === partition).flatMap(({ records }) => records);
      expect(own.map(({ offset }) => offset)).toEqual(range(0, 8_000));
      const values = own.map(({ value }) => JSON.parse(text(value)) as { device: string; readings: { n: number } });
      expect(new Set(values.map(({ device }) => device))).toEqual(new Set([codec]));
      expect(values.map(({ readings }) => readings.n)).toEqual(range(0, 8_000));
    }
    expect(consumer.errors).toEqual([]);
  });

  it("stop only their partition when they can't be read, until the position is past them", TEST, async () => {
    const cases: [string, (batch: Buffer) => void, "right" | "stale", Partial<UnreadableBatch>][] = [
      ["lz4", withCodec(5), "right", { reason: "unknownCodec", codec: "5" }],
      ["none", garbled, "stale", { reason: "wrongChecksum", codec: null }],
      ["none", garbled, "right", { reason: "brokenRecords", codec: null }],
      ["gzip", garbled, "right", { reason: "undecompressable", codec: "gzip" }],
      ["snappy", garbled, "right", { reason: "undecompressable", codec: "snappy" }],
      ["lz4", garbled, "right", { reason: "undecompressable", codec: "lz4" }],
      ["zstd", garbled, "right", { reason: "undecompressable", codec: "zstd" }],
      ["zstd", (batch) => void batch.writeInt32BE(400_000, 57), "right", { reason: "brokenRecords", records: 20 }],
    ];
    const good = cases.length;
    const topic = await bench.newTopic(good + 1);
    await send(topic, 20, { ...cases.map(([codec]) => codec), [good]: "lz4" });
    for (const [partition, [, change, crc]] of cases.entries()) damage(topic, partition, change, crc);
    await send(topic, 5, { ...cases.map(() => "zstd") });

    const passed = new Map<number, number>();
    const consumer = await bench.collect(bench.first.log, topic, {
      group: topic,
      startAt: async (partition) => passed.get(partition) ?? null,
    });
    const told = () => {
      const batches = consumer.errors.map((error) => (error instanceof UnreadableBatchError ? error.batch : null));
      return new Map(batches.filter((batch) => batch !== null).map((batch) => [batch.partition, batch]));
    };
    await until(() => told().size === good && consumer.records().length === 20, PATIENCE);
    for (const [partition, [, , , expected]] of cases.entries())
      expect(told().get(partition)).toMatchObject({ partition, from: 0, to: 19, records: 20, ...expected });
    // Kafka itself can't tell the time of what is in them; the rest is told all the same.
    for (let looks = 0; looks < 5; looks++) {
      const { partitions } = await bench.first.log.describe(topic, topic);
      expect(partitions.map(({ end }) => end)).toEqual([...Array<number>(good).fill(25), 20]);
    }
    // The others go on meanwhile, and it is told again, as nobody has passed them.
    await send(topic, 20, { [good]: "lz4" });
    const before = consumer.errors.length;
    await until(() => consumer.records().length === 40 && consumer.errors.length > before, PATIENCE);
    expect(consumer.errors.every((error) => error instanceof UnreadableBatchError)).toBe(true);

    for (const partition of range(0, good)) passed.set(partition, 20);
    await until(() => consumer.records().length === 40 + 5 * good, PATIENCE);
    const offsets = consumer.batches.filter(({ partition }) => partition !== good).flatMap(({ records }) => records);
    expect(new Set(offsets.map(({ offset }) => offset))).toEqual(new Set(range(20, 25)));
  });

  it("are passed by who reads without a group", TEST, async () => {
    const topic = await bench.newTopic(1);
    const live = await bench.collect(bench.second.log, topic, { group: null });
    await until(() => live.assigned().length === 1, PATIENCE);
    await bench.second.cut();
    await send(topic, 20, { 0: "lz4" });
    damage(topic, 0, withCodec(7), "right");
    await send(topic, 5, { 0: "lz4" });
    await bench.second.restore();
    await until(() => live.records().length === 5, PATIENCE);
    expect(live.records().map(({ offset }) => offset)).toEqual(range(20, 25));
    expect(live.errors.at(-1)).toMatchObject({ batch: { from: 0, to: 19, reason: "unknownCodec", codec: "7" } });
  });
});
