import fc from "fast-check";
import { expect, test } from "vitest";
import { OWN_SOURCE } from "@/server/domain/source";
import { refusedHeaders, sourceHeaders } from "@/server/domain/source-mark";
import { type SourceTotals, readTotals } from "@/server/sources/counts";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { until } from "@/server/testing/until";
import type { Fault } from "@/server/testing/pipeline-rig";

const bench = pipelineBench({ partitions: 2 });
const T = Date.UTC(2026, 0, 15, 10, 59, 58);

async function addSource(name: string): Promise<void> {
  await bench.pool.query(`INSERT INTO source (name, kind, answer) VALUES ($1, 'generic', 'webhook')`, [name]);
}

async function totalsOf(name: string): Promise<SourceTotals> {
  const { rows } = await bench.pool.query<{ id: number }>(`SELECT id FROM source WHERE name = $1`, [name]);
  return (await readTotals(bench.pool, [rows[0]!.id])).get(rows[0]!.id)!;
}

/** Hands over all of a partition; a batch that fails comes again. */
async function drain(faults: readonly (Fault | null)[], size: number): Promise<void> {
  const rig = await bench.rig();
  for (const partition of bench.log.parts.keys()) {
    for (const fault of faults) {
      rig.faults.next = fault;
      await rig.begin(partition).then((at) => rig.batch(partition, at, at + size).catch(() => {}));
    }
    rig.faults.next = null;
    await rig.insist(partition, size);
  }
}

test("each source's counts are what a recount says, however batches fall and fail", { timeout: 120_000 }, async () => {
  const one = fc.record({
    source: fc.constantFrom(OWN_SOURCE, "barn", "shed"),
    device: fc.nat(2),
    second: fc.nat(2),
    metrics: fc.dictionary(fc.constantFrom("m1", "m2"), fc.nat(1), { minKeys: 1 }),
    isBad: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(one, { minLength: 1, maxLength: 40, size: "max" }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.constantFrom<Fault | null>(null, "archive", "deadLetters", "beforeCommit", "afterCommit"), {
        maxLength: 4,
      }),
      async (all, size, faults) => {
        await bench.renew();
        const expected = new Map<string, ReturnType<typeof nothing>>();
        for (const source of [OWN_SOURCE, "barn", "shed"]) expected.set(source, nothing());
        for (const source of ["barn", "shed"]) await addSource(source);
        const kept = new Map<string, number>();
        for (const { source, device, second, metrics, isBad } of all) {
          const counts = expected.get(source)!;
          counts.messages++;
          counts.deadLetters += isBad ? 1 : 0;
          for (const [metric, value] of Object.entries(metrics)) {
            const key = `${device} ${second} ${metric}`;
            const before = kept.get(key);
            if (before === undefined) kept.set(key, value);
            counts[before === undefined ? "readings" : before === value ? "duplicates" : "conflicts"]++;
          }
          const readings = { ...metrics, ...(isBad && { "not a name!": 1 }) };
          const headers = source === OWN_SOURCE ? {} : sourceHeaders(source, 1);
          // A device has its partition.
          bench.log.append(device % 2, { device: `d${device}`, time: T + second, readings }, T + 5000, headers);
        }
        await drain(faults, size);
        for (const [source, counts] of expected) {
          const totals = await totalsOf(source);
          expect(totals).toMatchObject(counts);
          expect(totals.behind.reduce((sum, count) => sum + count, 0)).toBe(counts.messages);
        }
      },
    ),
    { numRuns: 25 },
  );
});

function nothing() {
  return { messages: 0, readings: 0, duplicates: 0, conflicts: 0, deadLetters: 0 };
}

test("what can't be read counts, and clocks by how far they are off; what names no source is counted nowhere", async () => {
  await addSource("barn");
  const barn = sourceHeaders("barn", 1);
  const send = (time: number, headers: Record<string, string>) =>
    bench.log.append(0, { device: "d", time, readings: { a: 1 } }, T, headers);
  send(T, barn);
  send(T - 3, barn);
  send(T + 1000, barn);
  send(T - 3 * 365 * 86_400_000, barn);
  send(T + 1, sourceHeaders("nobody", 1));
  send(T + 2, sourceHeaders("No Name!", 1));
  bench.log.append(0, "nothing to read", T, barn);
  bench.log.append(0, { device: "d", time: T, state: { on: true } }, T, barn);
  const refusals = [{ path: "t", reason: "badValue" as const, detail: "it is a text" }];
  const delivery = { source: "barn", version: 1, arrived: T, beside: {} as never, refusals, refused: 1 };
  bench.log.append(0, "{}", T, refusedHeaders(delivery));
  await drain(["beforeCommit", "afterCommit"], 4);

  const { behind, ahead, ...counts } = await totalsOf("barn");
  expect(counts).toMatchObject({ messages: 7, readings: 4, duplicates: 0, conflicts: 0, deadLetters: 2 });
  // As it came, 3 ms and three years behind; a second ahead.
  expect(behind.flatMap((count, at) => (count > 0 ? [[at, count]] : []))).toEqual([
    [0, 1],
    [2, 1],
    [37, 1],
  ]);
  expect(ahead).toEqual([...new Array<number>(10).fill(0), 1]);
  expect(await totalsOf(OWN_SOURCE)).toMatchObject({ messages: 1, readings: 1, deadLetters: 0 });
  expect(await bench.totals()).toMatchObject({ messages: 9, readings: 6, deadLetters: 2 });
});

test("a source that is removed meanwhile holds nothing up, and takes its counts with it", async () => {
  await addSource("barn");
  const rig = await bench.rig();
  const send = (partition: number) =>
    bench.log.append(partition, { device: `d${partition}`, time: T, readings: { a: 1 } }, T, sourceHeaders("barn", 1));
  for (const partition of [0, 1]) await rig.begin(partition);
  send(0);
  await rig.batch(0, 0, 1);
  send(0);
  send(1);
  const remover = await bench.pool.connect();
  await remover.query("BEGIN; DELETE FROM source WHERE name = 'barn'");
  const both = Promise.all([rig.batch(0, 1, 2), rig.batch(1, 0, 1)]);
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await until(async () => (await bench.pool.query(waiting)).rowCount === 1);
  await remover.query("COMMIT").finally(() => remover.release());
  await both;
  expect(await bench.totals()).toMatchObject({ messages: 3, readings: 2, duplicates: 1 });
  expect((await bench.pool.query(`SELECT * FROM source_commit`)).rows).toEqual([]);
});
