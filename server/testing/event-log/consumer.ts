import { describe, expect, it } from "vitest";
import { until } from "../until";
import { type EventLogBench, gateOf, numbered, PATIENCE, range, valuesOf } from "./bench";

/** Defines the tests of what a log promises to one consumer. */
export function consumerContract(bench: EventLogBench): void {
  describe("a consumer of a group", () => {
    it("goes on where the group committed", async () => {
      const topic = await bench.newTopic(2);
      await bench.first.log.append(topic, numbered(0, 100));
      const one = await bench.collect(bench.first.log, topic);
      await until(() => one.records().length === 100, PATIENCE);
      await one.stop();
      await bench.first.log.append(topic, numbered(100, 150));
      const two = await bench.collect(bench.second.log, topic);
      await until(() => two.records().length >= 50, PATIENCE);
      expect(valuesOf(two.records())).toEqual(range(100, 150));
      const other = await bench.collect(bench.second.log, topic, { group: "another" });
      await until(() => other.records().length >= 150, PATIENCE);
      await two.stop();
      await other.stop();
    });

    it("begins where startAt says, and is told what the log holds", async () => {
      const topic = await bench.newTopic(1);
      await bench.first.log.append(topic, numbered(0, 30));
      const { cluster, topicId } = await bench.first.log.describe(topic, "group");
      expect(topicId).not.toBeNull();
      const asked: unknown[] = [];
      const terms: ((term: number) => Promise<number | null>)[] = [];
      const consumer = await bench.collect(bench.first.log, topic, {
        startAt: async (partition, { endOfTerm, ...bounds }) => {
          asked.push({ partition, ...bounds });
          terms.push(endOfTerm);
          return 12;
        },
      });
      await until(() => consumer.records().length >= 18, PATIENCE);
      expect(valuesOf(consumer.records())).toEqual(range(12, 30));
      expect(asked).toMatchObject([{ partition: 0, cluster, topicId, start: 0, end: 30 }]);
      const [first] = consumer.batches;
      expect(first).toMatchObject({ cluster, topic, partition: 0, from: 12, end: 30 });
      expect(consumer.batches.at(-1)!.to).toBe(30);
      // Nothing is lost: what was written up to the end of the term is all there.
      if (first!.term !== null) expect(await terms[0]!(first!.term)).toBe(30);
      await consumer.stop();

      // Null: the log's own committed offset, which is now the end.
      const next = await bench.collect(bench.first.log, topic, { startAt: async () => null });
      await bench.first.log.append(topic, numbered(30, 31));
      await until(() => next.records().length > 0, PATIENCE);
      expect(valuesOf(next.records())).toEqual([30]);
      await next.stop();
    });

    it("counts nothing as waiting that startAt says was handled, though it was never committed here", async () => {
      const topic = await bench.newTopic(1);
      await bench.first.log.append(topic, numbered(0, 20));
      const consumer = await bench.collect(bench.first.log, topic, { startAt: async (_, { end }) => end });
      await until(
        async () => (await bench.second.log.describe(topic, "group")).partitions[0]!.committed === 20,
        PATIENCE,
      );
      expect(consumer.records()).toEqual([]);
      await consumer.stop();
    });

    it("gets a failed batch again, from startAt on, and the failure is told once", async () => {
      const topic = await bench.newTopic(1);
      await bench.first.log.append(topic, numbered(0, 20));
      let failures = 2;
      let starts = 0;
      const consumer = await bench.collect(bench.first.log, topic, {
        maxRecords: 10,
        startAt: async () => {
          starts += 1;
          return starts === 1 ? null : 5;
        },
        onBatch: async ({ records }) => {
          if (records.at(-1)!.offset >= 10 && failures > 0) {
            failures -= 1;
            throw new Error(`failure ${failures}`);
          }
        },
      });
      await until(() => consumer.records().at(-1)?.offset === 19, PATIENCE);
      expect(starts).toBe(3);
      expect(consumer.errors.map((error) => (error as Error).message)).toEqual(["failure 1", "failure 0"]);
      expect(valuesOf(consumer.records())).toEqual([...range(0, 10), ...range(5, 20)].sort((a, b) => a - b));
      await until(
        async () => (await bench.first.log.describe(topic, "group")).partitions[0]?.committed === 20,
        PATIENCE,
      );
      await consumer.stop();
    });

    it("fails on one partition without holding up the others", async () => {
      const topic = await bench.newTopic(4);
      await bench.first.log.append(topic, numbered(0, 400));
      const state = await bench.first.log.describe(topic, "group");
      const bad = state.partitions.find(({ end }) => end > 0)!.partition;
      const consumer = await bench.collect(bench.first.log, topic, {
        concurrency: 1,
        onBatch: async ({ partition }) => {
          if (partition === bad) throw new Error("bad");
        },
      });
      const expected = 400 - state.partitions[bad]!.end;
      await until(() => consumer.records().length === expected && consumer.errors.length >= 2, PATIENCE);
      const after = await bench.first.log.describe(topic, "group");
      expect(after.partitions[bad]?.committed ?? 0).toBe(0);
      await consumer.stop();
    });

    it("never overlaps batches of one partition, nor has more records in hand than asked", async () => {
      const topic = await bench.newTopic(6);
      const busy = new Map<number, number>();
      let most = 0;
      // The first batch waits for another one's company, so that two are surely under way at once.
      let meet = () => {};
      const met = new Promise<void>((resolve) => (meet = resolve));
      const consumer = await bench.collect(bench.first.log, topic, {
        maxRecords: 10,
        concurrency: 2,
        onBatch: async ({ partition, records }) => {
          expect(busy.has(partition)).toBe(false);
          busy.set(partition, records.length);
          most = Math.max(
            most,
            [...busy.values()].reduce((sum, one) => sum + one, 0),
          );
          if (busy.size > 1) meet();
          await met;
          await new Promise(setImmediate);
          busy.delete(partition);
        },
      });
      await bench.first.log.append(topic, numbered(0, 1200));
      await until(() => consumer.records().length === 1200, PATIENCE);
      expect(most).toBeGreaterThan(10);
      expect(most).toBeLessThanOrEqual(20);
      expect(consumer.errors).toEqual([]);
      await consumer.stop();
    });

    it("begins seldom where little comes and a pace is set, and doesn't make the first wait", async () => {
      const topic = await bench.newTopic(3);
      const paceMs = 400;
      const begun: number[] = [];
      const consumer = await bench.collect(bench.first.log, topic, {
        paceMs,
        onBatch: async () => {
          // Batches of several partitions that begin together count once.
          if (performance.now() - (begun.at(-1) ?? -Infinity) > paceMs / 2) begun.push(performance.now());
        },
      });
      await until(() => consumer.assigned().length === 3, PATIENCE);
      const since = performance.now();
      let sent = 0;
      for (; sent < 150; sent += 2) {
        await bench.first.log.append(topic, numbered(sent, sent + 2));
        // Evenly over five times the pace.
        await until(() => performance.now() - since > (sent / 150) * 5 * paceMs, PATIENCE);
      }
      await until(() => consumer.records().length === sent, PATIENCE);
      expect(valuesOf(consumer.records())).toEqual(range(0, sent));
      const most = (performance.now() - since) / paceMs + 2;
      expect(begun.length).toBeGreaterThan(1);
      expect(begun.length).toBeLessThanOrEqual(most);
      await consumer.stop();
    });

    it("lets the batch in hand finish when it stops, and commits it", async () => {
      const topic = await bench.newTopic(1);
      await bench.first.log.append(topic, numbered(0, 10));
      const gate = gateOf();
      const consumer = await bench.collect(bench.first.log, topic, { onBatch: () => gate.pass() });
      await gate.reached;
      const stopped = consumer.stop(20_000);
      gate.open();
      await stopped;
      expect(consumer.assigned()).toEqual([]);
      const [partition] = (await bench.first.log.describe(topic, "group")).partitions;
      expect(partition).toMatchObject({ committed: 10, oldestWaiting: null });
    });

    it("aborts the batch in hand when its time to stop is over, and doesn't commit it", async () => {
      const topic = await bench.newTopic(1);
      await bench.first.log.append(topic, numbered(0, 10));
      const gate = gateOf();
      const consumer = await bench.collect(bench.first.log, topic, {
        onBatch: async (_, signal) => {
          void gate.pass();
          await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
        },
      });
      await gate.reached;
      await consumer.stop(10);
      expect((await bench.first.log.describe(topic, "group")).partitions[0]?.committed ?? 0).toBe(0);
      const next = await bench.collect(bench.second.log, topic);
      await until(() => next.records().length === 10, PATIENCE);
      await next.stop();
    });
  });

  describe("consumers without a group", () => {
    it("each get everything from now on, and commit nothing", async () => {
      const topic = await bench.newTopic(3);
      await bench.first.log.append(topic, numbered(0, 50));
      const one = await bench.collect(bench.first.log, topic, { group: null });
      const two = await bench.collect(bench.second.log, topic, { group: null });
      await bench.first.log.append(topic, numbered(50, 100));
      await until(() => one.records().length >= 50 && two.records().length >= 50, PATIENCE);
      expect(valuesOf(one.records())).toEqual(range(50, 100));
      expect(valuesOf(two.records())).toEqual(range(50, 100));
      expect(one.assigned()).toEqual([0, 1, 2]);
      await one.stop();
      await two.stop();
    });

    it("lose nothing in an outage", async () => {
      const topic = await bench.newTopic(1);
      const open = await bench.open();
      const consumer = await bench.collect(open.log, topic, { group: null });
      await bench.first.log.append(topic, numbered(0, 5));
      await until(() => consumer.records().length === 5, PATIENCE);
      await open.cut();
      await until(() => consumer.errors.length > 0, PATIENCE);
      await bench.first.log.append(topic, numbered(5, 10));
      await open.restore();
      await until(() => consumer.records().length >= 10, PATIENCE);
      expect(valuesOf(consumer.records())).toEqual(range(0, 10));
      await consumer.stop();
      await open.log.close();
    });
  });
}
