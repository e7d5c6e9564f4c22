import { describe, expect, it } from "vitest";
import { LogUnavailableError } from "@/server/ports/event-log";
import { until } from "../until";
import { type EventLogBench, gateOf, numbered, PATIENCE, range, text, valuesOf } from "./bench";

/** Defines the tests of what a log promises when it cannot be reached for a while. */
export function outagesContract(bench: EventLogBench): void {
  describe("an outage", () => {
    it("makes appending and describing reject, and is over when it is over", async () => {
      const topic = await bench.newTopic(1);
      const open = await bench.open();
      await open.log.append(topic, numbered(0, 1));
      await open.cut();
      await expect(open.log.append(topic, numbered(1, 2))).rejects.toThrow(LogUnavailableError);
      await expect(open.log.describe(topic, "group")).rejects.toThrow(LogUnavailableError);
      await open.restore();
      await until(() => open.log.append(topic, numbered(2, 3)).then(() => true), PATIENCE);
      await open.log.close();
    });

    it("is told to a consumer, aborts its batch, and it goes on by itself", async () => {
      const topic = await bench.newTopic(2);
      const open = await bench.open();
      let aborts = 0;
      let blocking = true;
      const gate = gateOf();
      const consumer = await bench.collect(open.log, topic, {
        onBatch: async (_, signal) => {
          if (!blocking) return;
          void gate.pass();
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          aborts += 1;
          throw new Error("aborted");
        },
      });
      await bench.first.log.append(topic, numbered(0, 50));
      await gate.reached;
      await open.cut();
      await until(() => consumer.errors.length > 0, PATIENCE);
      expect(consumer.errors[0]).toBeInstanceOf(LogUnavailableError);
      await until(() => consumer.assigned().length === 0, PATIENCE);
      await until(() => aborts > 0, PATIENCE);
      blocking = false;
      await open.restore();
      await until(() => consumer.records().length >= 50, PATIENCE);
      expect(valuesOf(consumer.records())).toEqual(range(0, 50));
      await bench.first.log.append(topic, numbered(50, 60));
      await until(() => consumer.records().length >= 60, PATIENCE);
      await consumer.stop();
      await open.log.close();
    });

    it("doesn't keep a consumer from stopping", async () => {
      const topic = await bench.newTopic(1);
      const open = await bench.open();
      const consumer = await bench.collect(open.log, topic);
      await open.cut();
      await until(() => consumer.errors.length > 0, PATIENCE);
      await consumer.stop();
      await open.log.close();
    });

    it("after outage loses no record that was taken, whoever is cut off when", async () => {
      const topic = await bench.newTopic(4);
      const members = await Promise.all([1, 2, 3].map(() => bench.open()));
      const consumers = await Promise.all(members.map(({ log }) => bench.collect(log, topic, { maxRecords: 50 })));
      const seen = () =>
        new Set(consumers.flatMap((consumer) => consumer.records().map(({ value }) => Number(text(value)))));
      for (let round = 0; round < 8; round++) {
        const cut = members[round % 3]!;
        const writing = Array.from({ length: 5 }, (_, n) =>
          bench.first.log.append(topic, numbered(round * 500 + n * 100, round * 500 + n * 100 + 100)),
        );
        await until(() => seen().size > round * 300, PATIENCE);
        await cut.cut();
        await Promise.all(writing);
        await cut.restore();
      }
      await until(() => seen().size === 4000, PATIENCE);
      await until(async () => {
        const { partitions } = await bench.first.log.describe(topic, "group");
        return partitions.every(({ committed, end }) => committed === end);
      }, PATIENCE);
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      await Promise.all(members.map(({ log }) => log.close()));
    });
  });
}
