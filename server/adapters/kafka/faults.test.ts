import { afterAll, beforeAll, expect, it } from "vitest";
import { type KafkaServer, startKafka } from "@/e2e/engines/kafka";
import { LogUnavailableError } from "@/server/ports/event-log";
import { describeStartingEngines } from "@/server/testing/engines";
import { createBench, numbered, range, text } from "@/server/testing/event-log/bench";
import { until } from "@/server/testing/until";
import { openTestLog } from "./test-log";

const PATIENCE = { timeoutMs: 45_000 };
const TIMES = { session: 6000, heartbeat: 500 };
const TEST = { timeout: 240_000 };
/** Appending gives up after 8 s, and 3 s more when it must ask for the partitions; the rest is for a busy machine. */
const SOON_MS = 20_000;

describeStartingEngines("event log on a Kafka that fails", () => {
  let kafka: KafkaServer;
  const bench = createBench(async () => ({
    open: () => openTestLog(kafka.brokers, TIMES),
    close: async () => undefined,
  }));
  type Collected = Awaited<ReturnType<typeof bench.collect>>;
  beforeAll(async () => {
    kafka = await startKafka({ heap: "512m" });
    await bench.setUp();
  }, 180_000);
  afterAll(async () => {
    await bench.tearDown();
    await kafka?.remove();
  }, 120_000);

  /** Appends again until it is taken, as senders do. */
  async function appendSurely(topic: string, from: number, to: number): Promise<void> {
    await until(() => bench.first.log.append(topic, numbered(from, to)).then(() => true), PATIENCE);
  }

  const seenBy = (consumer: Collected) => new Set(consumer.records().map(({ value }) => Number(text(value))));

  /** Every number below `count` has come, however often. */
  async function untilSeen(consumer: Collected, count: number): Promise<void> {
    await until(() => {
      const seen = seenBy(consumer);
      const missing = range(0, count).filter((n) => !seen.has(n));
      if (missing.length > 0) throw new Error(`${missing.length} missing; told: ${consumer.errors.join("; ")}`);
      return true;
    }, PATIENCE);
  }

  for (const [how, away] of [
    ["is restarted", () => kafka.stop()],
    ["is killed", () => kafka.kill()],
  ] as const) {
    it(`goes on by itself after the broker ${how}`, TEST, async () => {
      const topic = await bench.newTopic(3);
      const worker = await bench.collect(bench.first.log, topic, { group: topic });
      const live = await bench.collect(bench.second.log, topic, { group: null });
      await appendSurely(topic, 0, 300);
      await untilSeen(worker, 300);
      await untilSeen(live, 300);
      await away();
      const began = performance.now();
      await expect(bench.first.log.append(topic, numbered(300, 310))).rejects.toThrow(LogUnavailableError);
      expect(performance.now() - began).toBeLessThan(SOON_MS);
      await until(() => worker.errors.length > 0 && live.errors.length > 0, PATIENCE);
      expect(worker.errors[0]).toBeInstanceOf(LogUnavailableError);
      await kafka.start();
      await appendSurely(topic, 300, 600);
      await untilSeen(worker, 600);
      await untilSeen(live, 600);
      expect(worker.errors.every((error) => error instanceof LogUnavailableError)).toBe(true);
      await until(async () => {
        const { partitions } = await bench.second.log.describe(topic, topic);
        return partitions.every(({ committed, end }) => committed === end);
      }, PATIENCE);
      await worker.stop();
      await live.stop();
    });
  }

  it("notices that Kafka has gone silent, answers in time, and begins anew", TEST, async () => {
    const topic = await bench.newTopic(2);
    const worker = await bench.collect(bench.first.log, topic, { group: topic });
    await appendSurely(topic, 0, 100);
    await untilSeen(worker, 100);
    await kafka.suspend();
    try {
      const began = performance.now();
      await expect(bench.second.log.describe(topic, topic)).rejects.toThrow(LogUnavailableError);
      expect(performance.now() - began).toBeLessThan(8000);
      await expect(bench.second.log.append(topic, numbered(100, 101))).rejects.toThrow(LogUnavailableError);
      expect(performance.now() - began).toBeLessThan(8000 + SOON_MS);
      await until(() => worker.errors.length > 0, PATIENCE);
      expect(String(worker.errors[0])).toMatch(/silent/);
      expect(worker.assigned()).toEqual([]);
    } finally {
      kafka.resume();
    }
    await appendSurely(topic, 100, 200);
    await untilSeen(worker, 200);
    await worker.stop();
  });

  it("begins anew when a connection is dead without having ended", TEST, async () => {
    const topic = await bench.newTopic(2);
    const stalled = await openTestLog(kafka.brokers, TIMES);
    const worker = await bench.collect(stalled.log, topic, { group: topic });
    await appendSurely(topic, 0, 50);
    await untilSeen(worker, 50);
    stalled.stall();
    await until(() => worker.errors.length > 0, PATIENCE);
    await appendSurely(topic, 50, 100);
    await untilSeen(worker, 100);
    await worker.stop();
    await stalled.log.close();
  });

  it("stops and closes in time though Kafka doesn't answer", TEST, async () => {
    const topic = await bench.newTopic(2);
    const open = await openTestLog(kafka.brokers, TIMES);
    // One stop that takes longer may be the machine's doing, each of several isn't.
    let quickest = Infinity;
    for (let round = 0; round < 5 && quickest >= 1500; round++) {
      const normal = await bench.collect(open.log, topic, { group: topic });
      await until(() => normal.assigned().length === 2, PATIENCE);
      await until(() => open.log.append(topic, numbered(0, 10)).then(() => true), PATIENCE);
      const stopping = performance.now();
      await normal.stop();
      quickest = Math.min(quickest, performance.now() - stopping);
    }
    expect(quickest).toBeLessThan(1500);

    const hanging = await bench.collect(open.log, topic, { group: topic });
    await until(() => hanging.assigned().length === 2, PATIENCE);
    await kafka.suspend();
    try {
      const closing = performance.now();
      await open.log.close();
      expect(performance.now() - closing).toBeLessThan(8000);
    } finally {
      kafka.resume();
    }
  });

  it("loses nothing it has taken, whenever it is cut off", TEST, async () => {
    const topic = await bench.newTopic(3);
    const open = await openTestLog(kafka.brokers, TIMES);
    const taken: number[] = [];
    let sent = 0;
    let cuts = 0;
    const sending = (async () => {
      while (cuts < 12) {
        const numbers = range(sent, sent + 1 + (sent % 200));
        sent += numbers.length;
        await open.log.append(topic, numbered(numbers[0]!, sent)).then(
          () => taken.push(...numbers),
          () => undefined,
        );
      }
    })();
    while (cuts < 12) {
      const before = taken.length;
      await until(() => taken.length > before + 500, PATIENCE);
      await open.cut();
      await open.restore();
      cuts += 1;
    }
    await sending;
    const reader = await bench.collect(bench.second.log, topic, { group: "reader" });
    const { partitions } = await bench.second.log.describe(topic, "reader");
    const all = partitions.reduce((sum, { end }) => sum + end, 0);
    await until(() => reader.records().length >= all, PATIENCE);
    const found = seenBy(reader);
    expect(taken.filter((n) => !found.has(n))).toEqual([]);
    await reader.stop();
    await open.log.close();
  });
});
