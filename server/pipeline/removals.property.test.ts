import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresDeviceTwins } from "@/server/adapters/postgres/device-twins";
import { catalogJobs } from "@/server/catalog/jobs";
import { mergeMetric, removeDevice, removeMetric, renameMetric } from "@/server/catalog/removals";
import { withTransaction } from "@/server/postgres/transaction";
import { mergeJobs } from "@/server/readings/merge";
import { latestReadings, takeDevice, takeMetric } from "@/server/readings/removals";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { jobContext, runKilled } from "@/server/testing/job-context";
import { faultsOfReadings } from "@/server/testing/kept-readings";
import { createRig, createScriptedLog, type Rig } from "@/server/testing/pipeline-rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const ORIGIN = Date.UTC(2020, 6, 31, 22);
const message = fc.record({
  device: fc.constantFrom("a", "b"),
  /** Within some hours, around the turn of a month. */
  second: fc.constantFrom(0, 1, 61, 3600, 7199, 7200, 7201, 20_000),
  metrics: fc.subarray(["m1", "m2", "m3"], { minLength: 1 }),
});
const metric = fc.constantFrom("m1", "m2", "m3", "m4");
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("batch"), worker: fc.nat(1), size: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete"), metric }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("merge"), metric, into: metric }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rename"), metric, into: metric }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove"), device: fc.constantFrom("a", "b") }) },
  // The job, killed after this many of its parts.
  { weight: 2, arbitrary: fc.record({ do: fc.constant("job"), parts: fc.nat(6) }) },
  // Hours are merged; at the later time devices count as silent.
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("roll"), parts: fc.nat(6), now: fc.constantFrom(0, Date.now() + 1e9) }),
  },
);
type Step = {
  do: string;
  worker?: number;
  size?: number;
  metric?: string;
  into?: string;
  device?: string;
  parts?: number;
  now?: number;
};

/** The same for all metrics, so that it doesn't matter whose reading stays where two are merged. */
const valueOf = (device: string, second: number) => ((second * 7 + device.charCodeAt(0)) % 97) * 0.25 - 8;

/** The readings that should be stored: times by device and metric. */
type Model = Map<string, Map<string, Set<number>>>;

let run = 0;

test("metrics and devices that are removed, merged and renamed while messages come leave what was never sent, and the rest whole", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 5, maxLength: 60, size: "max" }),
      fc.array(step, { minLength: 5, maxLength: 30, size: "max" }),
      async (messages, steps: Step[]) => {
        const prefix = `run${run++}-`;
        const named = (name: string) => prefix + name;
        const log = createScriptedLog(prefix, 1);
        for (const { device, second, metrics } of messages) {
          const readings = Object.fromEntries(metrics.map((name) => [named(name), valueOf(device, second)]));
          log.append(0, { device: named(device), time: ORIGIN + second * 1000, readings });
        }
        const twins = createPostgresDeviceTwins(db.pool);
        const [merge] = mergeJobs();
        const erasing = { stores: [], remains: async () => [], record: async () => {}, settleMs: 0 };
        const [job] = catalogJobs({
          twins,
          erasing,
          takeMetric,
          takeDevice,
          latestReadings,
          bringBack: async () => false,
        });
        const rigs: [Rig, Rig] = [await createRig(db.pool, log), await createRig(db.pool, log)];
        const model: Model = new Map();
        /** The metric by each other name under which it is sent. */
        const aliases = new Map<string, string>();
        let handled = 0;

        /** What is sent under `from`, or under other names of it, is the other one's from now on. */
        function alias(from: string, to: string): void {
          aliases.delete(to);
          for (const [name, of] of aliases) if (of === from) aliases.set(name, to);
          aliases.set(from, to);
        }

        /** Gives the readings of a metric to another one. */
        function give(from: string, to: string): void {
          for (const series of model.values()) {
            const times = [...(series.get(from) ?? []), ...(series.get(to) ?? [])];
            series.delete(from);
            if (times.length > 0) series.set(to, new Set(times));
          }
          alias(from, to);
        }

        async function batch(worker: number, size: number): Promise<void> {
          // A worker may remember the catalog as it was before a removal: then its batch comes again.
          for (let tries = 0; ; tries++) {
            const at = await rigs[worker]!.begin(0);
            expect(at).toBe(handled);
            try {
              await rigs[worker]!.batch(0, at, at + size);
              break;
            } catch (error) {
              if (tries > 0 || (error as Error).name !== "FencedError") throw error;
            }
          }
          const to = Math.min(handled + size, messages.length);
          for (const { device, second, metrics } of messages.slice(handled, to)) {
            const series = model.get(device) ?? new Map<string, Set<number>>();
            model.set(device, series);
            for (const sent of metrics) {
              const name = aliases.get(sent) ?? sent;
              series.set(name, (series.get(name) ?? new Set()).add(second));
            }
          }
          handled = to;
        }

        for (const one of steps) {
          if (one.do === "batch" && handled < messages.length) await batch(one.worker!, one.size!);
          if (one.do === "delete") {
            const removal = await withTransaction(db.pool, (tx) => removeMetric(tx, named(one.metric!)));
            if (removal !== "removed") continue;
            for (const series of model.values()) series.delete(one.metric!);
            for (const [name, of] of aliases) if (of === one.metric) aliases.delete(name);
          }
          if (one.do === "merge" && one.metric !== one.into) {
            const merge = await withTransaction(db.pool, (tx) => mergeMetric(tx, named(one.metric!), named(one.into!)));
            if (merge === "merged") give(one.metric!, one.into!);
          }
          if (one.do === "rename" && one.metric !== one.into) {
            const [from, to] = [one.metric!, one.into!];
            if ((await withTransaction(db.pool, (tx) => renameMetric(tx, named(from), named(to)))) === "renamed")
              give(from, to);
          }
          if (one.do === "remove") {
            const name = named(one.device!);
            if (
              await withTransaction(db.pool, (tx) =>
                removeDevice(tx, name, "all", () => twins.forget([name], null).then(() => 1)),
              )
            )
              model.delete(one.device!);
          }
          if (one.do === "job") await runKilled(job!, jobContext(db.pool), one.parts!);
          if (one.do === "roll") await runKilled(merge!, jobContext(db.pool, { now: one.now! }), one.parts!);
        }
        while (handled < messages.length) await batch(0, 9);
        await job!.run(jobContext(db.pool));
        expect(await faultsOfReadings(db.pool)).toEqual([]);
        await check(prefix, model, messages);
        expect(await readTwins(prefix)).toEqual(twinsOf(model));
      },
    ),
    { numRuns: 50, endOnFailure: true },
  );
}, 180_000);

async function check(prefix: string, model: Model, messages: readonly { device: string; metrics: string[] }[]) {
  const { rows } = await db.pool.query<{ key: string; value: number }>(
    `SELECT substr(device, $2) || ' ' || substr(metric, $2) || ' ' || (extract(epoch FROM time) * 1000)::bigint AS key, value
     FROM reading WHERE starts_with(device, $1)`,
    [prefix, prefix.length + 1],
  );
  const expected = [...model].flatMap(([device, series]) =>
    [...series].flatMap(([name, seconds]) =>
      [...seconds].map((second) => [`${device} ${name} ${ORIGIN + second * 1000}`, valueOf(device, second)] as const),
    ),
  );
  expect(rows.length).toBe(expected.length);
  expect(new Map(rows.map(({ key, value }) => [key, value]))).toEqual(new Map(expected));
  for (const [table, width] of [
    ["minute", "minute"],
    ["hour", "hour"],
  ] as const) {
    const ours = await db.pool.query(
      `SELECT device, metric, bucket, count, sum, min, max, first, last FROM reading_${table} WHERE starts_with(device, $1)
       ORDER BY device, metric, bucket`,
      [prefix],
    );
    const recount = await db.pool.query(
      `SELECT device, metric, date_trunc('${width}', time, 'UTC') AS bucket, count(*)::int AS count, sum(value), min(value), max(value),
         (array_agg(value ORDER BY time))[1] AS first, (array_agg(value ORDER BY time DESC))[1] AS last
       FROM reading WHERE starts_with(device, $1) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
      [prefix],
    );
    expect(ours.rows).toEqual(recount.rows);
  }
  // Nothing is left of anything that is no longer in the catalog.
  const { rows: left } = await db.pool.query(
    `SELECT 1 FROM (SELECT device_id, metrics FROM sample UNION ALL SELECT device_id, metrics FROM rollup_minute
       UNION ALL SELECT device_id, metrics FROM rollup_hour) AS row
     WHERE NOT EXISTS (SELECT FROM device WHERE id = device_id) OR cardinality(metrics) = 0
       OR EXISTS (SELECT FROM unnest(metrics) AS m WHERE NOT EXISTS (SELECT FROM metric WHERE id = m))`,
  );
  expect(left).toEqual([]);
  const { rows: totals } = await db.pool.query(
    `SELECT messages::int, (readings + duplicates + conflicts)::int AS readings, dead_letters::int FROM pipeline_position WHERE cluster = $1`,
    [prefix],
  );
  const sent = messages.reduce((sum, { metrics }) => sum + metrics.length, 0);
  expect(totals).toEqual([{ messages: messages.length, readings: sent, dead_letters: 0 }]);
}

async function readTwins(prefix: string) {
  const { rows } = await db.pool.query<{ device: string; state: Record<string, [number, number]> }>(
    `SELECT device, state FROM device_twin WHERE starts_with(device, $1)`,
    [prefix],
  );
  return Object.fromEntries(
    rows.map(({ device, state }) => [
      device.slice(prefix.length),
      Object.fromEntries(Object.entries(state).map(([field, value]) => [field.slice(prefix.length), value])),
    ]),
  );
}

function twinsOf(model: Model) {
  const twins = [...model].map(([device, series]) => {
    const values = [...series].map(([name, seconds]) => {
      const latest = Math.max(...seconds);
      return [name, [valueOf(device, latest), ORIGIN + latest * 1000]] as const;
    });
    return [device, Object.fromEntries(values)] as const;
  });
  return Object.fromEntries(twins.filter(([, values]) => Object.keys(values).length > 0));
}
