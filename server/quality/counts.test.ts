import { expect, test } from "vitest";
import { decodeMessage } from "@/server/domain/decode-message";
import { createFleet } from "@/server/simulator/fleet";
import { pipelineBench } from "@/server/testing/pipeline-bench";

const bench = pipelineBench({ partitions: 1 });
const T = Date.UTC(2026, 10, 23, 8);

/** What of a device's readings came again and late, and how many of its messages weren't wholly good: by counting what is sent. */
interface Sent {
  readings: number;
  repeats: number;
  late: number;
}

test.each([1, 2, 3, 4, 5])(
  "repeats, late readings and spoiled messages are counted exactly, of a fleet with seed %i in batches of any size",
  async (seed) => {
    const fleet = createFleet({ seed, devices: 4, intervalMs: 5000, faultsPerHour: 40 });
    const sent = new Map<string, Sent>();
    let spoiled = 0;
    const known = new Map<string, Map<number, Set<string>>>();
    const newest = new Map<string, number>();
    for (let tick = T / 5000; tick < T / 5000 + 300; tick++)
      for (const device of fleet.devices)
        for (const text of fleet.messagesAt(device, tick)) {
          const arrived = fleet.dueAt(device, tick);
          bench.log.append(0, Buffer.from(text), arrived);
          const bounds = { now: arrived, futureToleranceMs: 600_000, retentionMs: null };
          const decoded = decodeMessage(Buffer.from(text), bounds);
          if (!decoded.ok) {
            spoiled++;
            continue;
          }
          // The fleet sends a word instead of a number now and then, which is a reading of another kind; a press says its mode in words.
          const words = decoded.message.texts.filter(([field]) => field !== "mode");
          spoiled += decoded.message.refused.length + words.length;
          const { device: name, eventTime, shape } = decoded.message;
          const counts = sent.get(name) ?? { readings: 0, repeats: 0, late: 0 };
          sent.set(name, counts);
          const times = known.get(name) ?? new Map<number, Set<string>>();
          known.set(name, times);
          const there = times.get(eventTime) ?? new Set<string>();
          times.set(eventTime, there);
          const isLate = eventTime < (newest.get(name) ?? -Infinity);
          for (const metric of shape.names) {
            if (there.has(metric)) counts.repeats++;
            else {
              counts.readings++;
              if (isLate) counts.late++;
              there.add(metric);
            }
          }
          if (shape.names.length > 0) newest.set(name, Math.max(newest.get(name) ?? -Infinity, eventTime));
        }
    await (await bench.rig()).insist(0, [40, 100, 700, 200, 350][seed - 1]!);
    const { rows } = await bench.pool.query<Sent & { name: string }>(
      `SELECT d.name, coalesce(sum(q.repeats), 0)::int AS repeats, coalesce(sum(q.late), 0)::int AS late,
         (SELECT count(*)::int FROM reading r WHERE r.device = d.name) AS readings
       FROM device d LEFT JOIN quality_count q ON q.device_id = d.id GROUP BY d.id`,
    );
    expect(new Map(rows.map(({ name, ...counts }) => [name, counts]))).toEqual(sent);
    expect((await bench.totals()).deadLetters).toBe(spoiled);
    expect([...sent.values()].reduce((all, { repeats }) => all + repeats, 0)).toBeGreaterThan(10);
  },
);
