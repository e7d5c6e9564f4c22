import { describe, expect, it } from "vitest";
import { until } from "../until";
import { type EventLogBench, gateOf, numbered, PATIENCE, range, valuesOf } from "./bench";

/** Defines the tests of what a log promises to consumers that share a group, and of what it tells of them. */
export function groupsContract(bench: EventLogBench): void {
  describe("consumers of a group", () => {
    it("share the partitions, and share anew when one comes or leaves", async () => {
      const topic = await bench.newTopic(6);
      const one = await bench.collect(bench.first.log, topic);
      await until(() => one.assigned().length === 6, PATIENCE);
      const two = await bench.collect(bench.second.log, topic);
      await until(() => one.assigned().length === 3 && two.assigned().length === 3, PATIENCE);
      expect([...one.assigned(), ...two.assigned()].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      const state = await bench.first.log.describe(topic, "group");
      expect(state.members).toBe(2);
      expect(state.partitions.every(({ owner }) => owner !== null && owner !== "")).toBe(true);

      await bench.first.log.append(topic, numbered(0, 600));
      await until(() => one.records().length + two.records().length >= 600, PATIENCE);
      expect(valuesOf([...one.records(), ...two.records()])).toEqual(range(0, 600));
      await two.stop();
      await until(() => one.assigned().length === 6, PATIENCE);
      await until(async () => (await bench.first.log.describe(topic, "group")).members === 1, PATIENCE);
      await one.stop();
      await until(async () => (await bench.first.log.describe(topic, "group")).members === 0, PATIENCE);
    });

    it("let a batch finish before its partition moves", async () => {
      const topic = await bench.newTopic(2);
      await bench.first.log.append(topic, numbered(0, 100));
      const gate = gateOf();
      const one = await bench.collect(bench.first.log, topic, { onBatch: () => gate.pass() });
      await gate.reached;
      const two = await bench.collect(bench.second.log, topic);
      await until(async () => (await bench.first.log.describe(topic, "group")).members === 2, PATIENCE);
      gate.open();
      await until(() => one.assigned().length === 1 && two.assigned().length === 1, PATIENCE);
      await until(() => one.records().length + two.records().length >= 100, PATIENCE);
      expect(valuesOf([...one.records(), ...two.records()])).toEqual(range(0, 100));
      expect(one.errors).toEqual([]);
      await one.stop();
      await two.stop();
    });

    it("take over from one that dies, and what it had not committed comes again", async () => {
      const topic = await bench.newTopic(4);
      const dying = await bench.open();
      const gate = gateOf();
      const dead = await bench.collect(dying.log, topic, { onBatch: () => gate.pass() });
      await until(() => dead.assigned().length === 4, PATIENCE);
      await bench.first.log.append(topic, numbered(0, 200));
      await gate.reached;
      await dying.cut();
      const heir = await bench.collect(bench.first.log, topic);
      await until(() => heir.assigned().length === 4, PATIENCE);
      await until(() => heir.records().length >= 200, PATIENCE);
      expect(valuesOf(heir.records())).toEqual(range(0, 200));
      gate.open();
      await dead.stop(100);
      await dying.log.close();
      await heir.stop();
    });
  });

  it("tells how far a group is", async () => {
    const topic = await bench.newTopic(1);
    const before = Date.now();
    await bench.first.log.append(topic, numbered(0, 10));
    const fresh = (await bench.first.log.describe(topic, "group")).partitions[0]!;
    expect(fresh).toMatchObject({ start: 0, end: 10, readableEnd: 10, committed: null, owner: null });
    if (fresh.oldestWaiting !== null) expect(Math.abs(fresh.oldestWaiting - before)).toBeLessThan(60_000);

    const gate = gateOf();
    const consumer = await bench.collect(bench.second.log, topic, {
      maxRecords: 4,
      onBatch: async ({ records }) => {
        if (records[0]!.offset >= 4) await gate.pass();
      },
    });
    await gate.reached;
    await until(async () => (await bench.first.log.describe(topic, "group")).partitions[0]?.committed === 4, PATIENCE);
    const state = await bench.first.log.describe(topic, "group");
    expect(state.members).toBe(1);
    const [behind] = state.partitions;
    expect(behind?.owner).not.toBeNull();
    const ingestTime = consumer.records()[0]!.ingestTime;
    if (behind!.oldestWaiting !== null) expect(behind!.oldestWaiting).toBeGreaterThanOrEqual(ingestTime);
    gate.open();
    await until(async () => (await bench.first.log.describe(topic, "group")).partitions[0]?.committed === 10, PATIENCE);
    expect((await bench.first.log.describe(topic, "group")).partitions[0]?.oldestWaiting).toBeNull();
    await consumer.stop();
  });
}
