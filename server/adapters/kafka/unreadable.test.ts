import { execFile } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { prepareJava } from "@/e2e/engines/java";
import { type KafkaServer, startKafka } from "@/e2e/engines/kafka";
import type { UnreadableBatch } from "@/server/domain/unreadable";
import { UnreadableBatchError } from "@/server/ports/event-log";
import { describeStartingEngines } from "@/server/testing/engines";
import { createBench, range, text } from "@/server/testing/event-log/bench";
import { until } from "@/server/testing/until";
import { openTestLog } from "./test-log";

const crc32c = createRequire(import.meta.url)("kafkajs/src/protocol/recordBatch/crc32C") as (data: Buffer) => number;
const PATIENCE = { timeoutMs: 45_000 };
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

  async function sendByJava(topic: string, partition: number, codec: string, count: number): Promise<void> {
    const { program, classPath } = await prepareJava();
    const source = path.join("e2e", "engines", "JavaProducer.java");
    const args = [kafka.brokers, topic, String(partition), codec, String(count)];
    await promisify(execFile)(program, ["-cp", classPath, source, ...args]);
  }

  /** Changes the first batch of a partition where it lies on the broker's disk. */
  function damage(topic: string, partition: number, change: (batch: Buffer) => void, crc: "right" | "stale"): void {
    const file = path.join(dataDir, "log", `${topic}-${partition}`, "00000000000000000000.log");
    const data = readFileSync(file);
    const batch = data.subarray(0, 12 + data.readInt32BE(8));
    change(batch);
    if (crc === "right") batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
    const handle = openSync(file, "r+");
    writeSync(handle, batch, 0, batch.length, 0);
    closeSync(handle);
  }

  it("are read in every codec that Java's producer has", TEST, async () => {
    const codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    const topic = await bench.newTopic(codecs.length);
    // Several blocks of 64 KiB each, and several batches.
    for (const [partition, codec] of codecs.entries()) await sendByJava(topic, partition, codec, 20_000);
    const consumer = await bench.collect(bench.first.log, topic, { group: topic });
    await until(() => consumer.records().length >= codecs.length * 20_000, PATIENCE);
    for (const [partition, codec] of codecs.entries()) {
      const own = consumer.batches.filter((batch) => batch.partition === partition).flatMap(({ records }) => records);
      expect(own.map(({ offset }) => offset)).toEqual(range(0, 20_000));
      const values = own.map(({ value }) => JSON.parse(text(value)) as { device: string; readings: { n: number } });
      expect(new Set(values.map(({ device }) => device))).toEqual(new Set([codec]));
      expect(values.map(({ readings }) => readings.n)).toEqual(range(0, 20_000));
    }
    expect(consumer.errors).toEqual([]);
  });

  it("stop only their partition when they can't be read, until the position is past them", TEST, async () => {
    const garble = (batch: Buffer) => void batch.fill(0xa5, 61 + ((batch.length - 61) >> 2));
    const cases: [string, (batch: Buffer) => void, "right" | "stale", Partial<UnreadableBatch>][] = [
      ["lz4", (batch) => void (batch[22] = 5), "right", { reason: "unknownCodec", codec: "5" }],
      ["none", garble, "stale", { reason: "wrongChecksum", codec: null }],
      ["none", garble, "right", { reason: "brokenRecords", codec: null }],
      ["gzip", garble, "right", { reason: "undecompressable", codec: "gzip" }],
      ["snappy", garble, "right", { reason: "undecompressable", codec: "snappy" }],
      ["lz4", garble, "right", { reason: "undecompressable", codec: "lz4" }],
      ["zstd", garble, "right", { reason: "undecompressable", codec: "zstd" }],
      ["zstd", (batch) => void batch.writeInt32BE(400_000, 57), "right", { reason: "brokenRecords", records: 20 }],
    ];
    const good = cases.length;
    const topic = await bench.newTopic(good + 1);
    for (const [partition, [codec, change, crc]] of cases.entries()) {
      await sendByJava(topic, partition, codec, 20);
      damage(topic, partition, change, crc);
      await sendByJava(topic, partition, "zstd", 5);
    }
    await sendByJava(topic, good, "lz4", 20);

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
    await sendByJava(topic, good, "lz4", 20);
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
    await sendByJava(topic, 0, "lz4", 20);
    damage(topic, 0, (batch) => void (batch[22] = 7), "right");
    await sendByJava(topic, 0, "lz4", 5);
    await bench.second.restore();
    await until(() => live.records().length === 5, PATIENCE);
    expect(live.records().map(({ offset }) => offset)).toEqual(range(20, 25));
    expect(live.errors.at(-1)).toMatchObject({ batch: { from: 0, to: 19, reason: "unknownCodec", codec: "7" } });
  });
});
