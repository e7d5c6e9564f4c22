import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mergeJobs } from "@/server/readings/merge";
import { bucketStart, ROLLUP_WIDTHS } from "@/server/domain/rollup";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { archivedMessages } from "@/server/testing/archived";
import { jobContext, runKilled } from "@/server/testing/job-context";
import { faultsOfReadings } from "@/server/testing/kept-readings";
import { createRig, createScriptedLog, InjectedFault, type Fault, type Rig } from "@/server/testing/pipeline-rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const DEVICES = ["a", "b", "c"];
const METRICS = ["m1", "m2", "m3", "m4"];
/** Event times around the turn of an hour and of a month; few, so that many messages share one. */
const ORIGIN = Date.UTC(2020, 6, 31, 23, 58);
const SECONDS = [0, 1, 59, 60, 61, 119, 120, 121, 180];
const FAULTS: Fault[] = ["archive", "twins", "discovered", "beforeCommit", "afterCommit"];

/** Values are exact in binary, so sums are the same in any order; each is a function of its key, so it doesn't matter who comes first. */
const valueOf = (device: string, metric: string, time: number) =>
  (((time / 1000) * 7 + metric.charCodeAt(1) * 13 + device.charCodeAt(0)) % 97) * 0.25 - 8;

const message = fc.record({
  partition: fc.nat(1),
  device: fc.constantFrom(...DEVICES),
  second: fc.constantFrom(...SECONDS),
  metrics: fc.subarray(METRICS, { minLength: 1 }),
});
const step = fc.record({
  partition: fc.nat(1),
  size: fc.integer({ min: 1, max: 12 }),
  fault: fc.option(fc.constantFrom(...FAULTS), { freq: 2 }),
  /** Goes on as the other worker, from where it believes it is or from a new start. */
  other: fc.boolean(),
  restart: fc.boolean(),
  /** Hours are merged before, until the worker is killed after some steps; at the later time devices count as silent. */
  merge: fc.option(fc.record({ parts: fc.nat(3), now: fc.constantFrom(0, Date.now() + 1e9) }), { freq: 3 }),
});

const [mergeJob] = mergeJobs();
let run = 0;

test("random streams, batches, crashes and takeovers leave what one calm run would", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 60, size: "max" }),
      fc.array(step, { maxLength: 25, size: "max" }),
      async (messages, steps) => {
        const prefix = `run${run++}-`;
        const log = createScriptedLog(prefix, 2);
        for (const { partition, device, second, metrics } of messages) {
          const time = ORIGIN + second * 1000;
          const readings = Object.fromEntries(metrics.map((metric) => [metric, valueOf(device, metric, time)]));
          log.append(partition, { device: prefix + device, time, readings });
        }
        const rigs: [Rig, Rig] = [await createRig(db.pool, log), await createRig(db.pool, log)];
        const places = [new Map<number, number>(), new Map<number, number>()];
        for (const { partition, size, fault, other, restart, merge } of steps) {
          if (merge) await runKilled(mergeJob!, jobContext(db.pool, { now: merge.now }), merge.parts);
          const worker = other ? 1 : 0;
          const rig = rigs[worker]!;
          const mine = places[worker]!;
          if (restart || !mine.has(partition)) mine.set(partition, await rig.begin(partition));
          const at = mine.get(partition)!;
          if (at >= log.endOf(partition)) continue;
          rig.faults.next = fault;
          try {
            await rig.batch(partition, at, at + size);
            mine.set(partition, Math.min(at + size, log.endOf(partition)));
          } catch (error) {
            if (!(error instanceof InjectedFault) && (error as Error).name !== "FencedError") throw error;
            mine.delete(partition);
          }
          rig.faults.next = null;
        }
        await rigs[0].drain(7);
        expect(await faultsOfReadings(db.pool)).toEqual([]);
        await check(prefix, messages);
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);

test("repeats and conflicts are counted the same, however the batches fall", async () => {
  const one = fc.record({
    second: fc.nat(2),
    metric: fc.constantFrom("m1", "m2"),
    value: fc.constantFrom("1", "2", "true", "0", "-0", "false", "0.1", "1e300"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(one, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      async (all, size, merges) => {
        const device = `run${run++}-d`;
        const log = createScriptedLog(device, 1);
        const kept = new Map<string, number>();
        const counts = { readings: 0, duplicates: 0, conflicts: 0 };
        for (const { second, metric, value } of all) {
          log.append(0, `{"device":"${device}","time":${ORIGIN + second},"readings":{"${metric}":${value}}}`);
          const [key, number] = [`${second} ${metric}`, Number(JSON.parse(value))];
          const before = kept.get(key);
          if (before === undefined) kept.set(key, number);
          counts[before === undefined ? "readings" : before === number ? "duplicates" : "conflicts"]++;
        }
        const rig = await createRig(db.pool, log);
        for (let at = await rig.begin(0), n = 0; at < log.endOf(0); at += size, n++) {
          await rig.batch(0, at, at + size);
          if (merges[n % merges.length]) await mergeJob!.run(jobContext(db.pool, { now: Date.now() + 1e9 }));
        }
        expect(await faultsOfReadings(db.pool)).toEqual([]);
        const stored = await db.pool.query<{ key: string; value: number }>(
          `SELECT (extract(epoch FROM time) * 1000)::bigint - $2::bigint || ' ' || metric AS key, value FROM reading WHERE device = $1`,
          [device, ORIGIN],
        );
        expect(new Map(stored.rows.map(({ key, value }) => [key, value]))).toEqual(kept);
        const { rows } = await db.pool.query(
          `SELECT readings::int, duplicates::int, conflicts::int FROM pipeline_position WHERE cluster = $1`,
          [device],
        );
        expect(rows).toEqual([counts]);
        const { rows: devices } = await db.pool.query(`SELECT conflicts::int FROM device WHERE name = $1`, [device]);
        expect(devices).toEqual([{ conflicts: counts.conflicts }]);
      },
    ),
    { numRuns: 25 },
  );
}, 60_000);

async function check(prefix: string, messages: readonly { device: string; second: number; metrics: string[] }[]) {
  const expected = new Map<string, number>();
  let total = 0;
  for (const { device, second, metrics } of messages) {
    const time = ORIGIN + second * 1000;
    total += metrics.length;
    for (const metric of metrics) expected.set(`${device} ${metric} ${time}`, valueOf(device, metric, time));
  }

  const stored = await db.pool.query<{ key: string; value: number }>(
    `SELECT substr(device, $2) || ' ' || metric || ' ' || (extract(epoch FROM time) * 1000)::bigint AS key, value
     FROM reading WHERE starts_with(device, $1)`,
    [prefix, prefix.length + 1],
  );
  expect(stored.rows.length).toBe(expected.size);
  expect(new Map(stored.rows.map(({ key, value }) => [key, value]))).toEqual(expected);

  const totals = await db.pool.query(
    `SELECT sum(messages)::int AS messages, sum(readings)::int AS readings, sum(duplicates)::int AS duplicates,
            sum(conflicts)::int AS conflicts, sum(dead_letters)::int AS dead_letters, sum(skipped)::int AS skipped
     FROM pipeline_position WHERE cluster = $1`,
    [prefix],
  );
  expect(totals.rows[0]).toEqual({
    messages: messages.length,
    readings: expected.size,
    duplicates: total - expected.size,
    conflicts: 0,
    dead_letters: 0,
    skipped: 0,
  });
  const rates = await db.pool.query(`SELECT sum(messages)::int AS messages FROM pipeline_rate WHERE cluster = $1`, [
    prefix,
  ]);
  expect(rates.rows[0]).toEqual({ messages: messages.length });
  const archived = await archivedMessages(db.pool);
  expect(archived.filter(({ device }) => device.startsWith(prefix))).toHaveLength(messages.length);
  const devices = await db.pool.query<{ messages: number; last: Date; device: string }>(
    `SELECT substr(name, $2) AS device, messages, last_event_time AS last FROM device WHERE starts_with(name, $1)`,
    [prefix, prefix.length + 1],
  );
  for (const { device, messages: count, last } of devices.rows) {
    const own = messages.filter((one) => one.device === device);
    expect(count).toBe(own.length);
    expect(last.getTime()).toBe(ORIGIN + Math.max(...own.map((one) => one.second)) * 1000);
  }

  for (const [table, width] of [
    ["minute", ROLLUP_WIDTHS.minute],
    ["hour", ROLLUP_WIDTHS.hour],
  ] as const) {
    const rollups = await db.pool.query(
      `SELECT substr(device, $2) || ' ' || metric || ' ' || (extract(epoch FROM bucket) * 1000)::bigint AS key,
              count, sum, min, max, first, last
       FROM reading_${table} WHERE starts_with(device, $1)`,
      [prefix, prefix.length + 1],
    );
    expect(new Map(rollups.rows.map(({ key, ...rest }) => [key, rest]))).toEqual(recount(expected, width));
  }
}

function recount(readings: ReadonlyMap<string, number>, width: number) {
  const buckets = new Map<string, { time: number; value: number }[]>();
  for (const [key, value] of readings) {
    const [device, metric, time] = key.split(" ");
    const bucket = `${device} ${metric} ${bucketStart(Number(time), width)}`;
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), { time: Number(time), value }]);
  }
  return new Map(
    [...buckets].map(([key, entries]) => {
      const values = entries.sort((a, b) => a.time - b.time).map((entry) => entry.value);
      return [
        key,
        {
          count: values.length,
          sum: values.reduce((a, b) => a + b, 0),
          min: Math.min(...values),
          max: Math.max(...values),
          first: values[0],
          last: values.at(-1),
        },
      ];
    }),
  );
}
