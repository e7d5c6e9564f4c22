import fc from "fast-check";
import { expect, test } from "vitest";
import { fromHeaders } from "@/server/domain/from-mark";
import { sourceHeaders } from "@/server/domain/source-mark";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import type { Fault } from "@/server/testing/pipeline-rig";

const bench = pipelineBench({ partitions: 2 });
const T = Date.UTC(2026, 0, 15, 10);

async function addSource(): Promise<void> {
  await bench.pool.query(`INSERT INTO source (name, kind, answer) VALUES ('plant', 'generic', 'webhook')`);
}

/** Appends what one record of another log became: two messages, of devices in different partitions or one. */
function take(offset: number, { lane = "plant.events/0", run = "r" } = {}): void {
  for (const place of [0, 1]) {
    const device = (offset + place) % 5;
    const message = { device: `d${device}`, time: T + offset * 2 + place, readings: { n: offset } };
    const headers = { ...sourceHeaders("plant", 1), ...fromHeaders({ lane, run, offset, place }) };
    bench.log.append(device % 2, message, T + 60_000, headers);
  }
}

async function archived(): Promise<number[]> {
  const rig = await bench.rig();
  const found = await Promise.all([0, 1, 2, 3, 4].map((n) => rig.archive.find({ device: `d${n}`, limit: 10_000 })));
  return found
    .flat()
    .map(({ eventTime }) => eventTime - T)
    .sort((a, b) => a - b);
}

const repeats = async () =>
  (await bench.pool.query<{ n: number }>(`SELECT coalesce(sum(repeats), 0)::int AS n FROM taken_from`)).rows[0]!.n;
const range = (to: number) => Array.from({ length: to }, (_, i) => i);

test("what another log gives again is in the archive once and counted once, wherever the reader and the worker fail", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ on: fc.integer({ min: 1, max: 15 }), back: fc.integer({ min: 0, max: 20 }) }), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.constantFrom<Fault | null>(null, "archive", "beforeCommit", "afterCommit"), { maxLength: 4 }),
      async (turns, size, faults) => {
        await bench.renew();
        await addSource();
        let at = 0;
        let again = 0;
        for (const { on, back } of turns) {
          const from = Math.max(0, at - back);
          again += at - from;
          for (let offset = from; offset < at + on; offset++) take(offset);
          at += on;
        }
        const rig = await bench.rig();
        for (const partition of [0, 1]) {
          for (const fault of faults) {
            rig.faults.next = fault;
            await rig.begin(partition).then((next) => rig.batch(partition, next, next + size).catch(() => {}));
          }
          rig.faults.next = null;
          await rig.insist(partition, size);
        }
        expect(await archived()).toEqual(range(at * 2));
        expect(await bench.totals()).toMatchObject({ messages: at * 2, readings: at * 2, duplicates: 0 });
        expect(await repeats()).toBe(again * 2);
      },
    ),
    { numRuns: 10 },
  );
}, 60_000);

test("another run begins anew, lanes know nothing of each other, and what is from nowhere else is left alone", async () => {
  await addSource();
  const rig = await bench.rig();
  for (const offset of range(3)) take(offset);
  for (const offset of range(3)) take(offset, { run: "another" });
  for (const offset of range(3)) take(offset, { lane: "plant.events/1" });
  bench.log.append(0, { device: "d0", time: T, readings: { n: 0 } }, T, sourceHeaders("plant", 1));
  await rig.drain();
  expect((await archived()).length).toBe(19);
  expect(await repeats()).toBe(0);
  await bench.pool.query(`DELETE FROM source WHERE name = 'plant'`);
  expect((await bench.pool.query(`SELECT FROM taken_from`)).rowCount).toBe(0);
});
