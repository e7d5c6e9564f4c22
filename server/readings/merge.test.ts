import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { lockDevices, noteActivity } from "@/server/catalog/catalog-writes";
import { withTransaction } from "@/server/postgres/transaction";
import type { Sample } from "@/server/ports/commit-batch";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { faultsOfReadings } from "@/server/testing/kept-readings";
import { mergeJobs } from "./merge";
import { writeSamples } from "./samples";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());
beforeEach(() => db.pool.query("TRUNCATE sample, rollup_minute, rollup_hour, device, metric RESTART IDENTITY CASCADE"));
afterEach(async () => expect(await faultsOfReadings(db.pool)).toEqual([]));

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const T = Date.UTC(2020, 6, 31, 22);
const NOW = T + 30 * HOUR;
const [merge, upgrade] = mergeJobs();

async function devices(count: number): Promise<void> {
  await db.pool.query(
    `INSERT INTO device (name) SELECT 'd' || n FROM generate_series(1, $1) n; `.replace("$1", String(count)) +
      `INSERT INTO metric (name, kind) SELECT 'm' || n, 'number' FROM generate_series(1, 3) n`,
  );
}

/** Does what the pipeline does with a batch. */
async function send(samples: readonly Sample[], seen = NOW) {
  const ids = [...new Set(samples.map(({ deviceId }) => deviceId))];
  return withTransaction(db.pool, async (tx) => {
    const written = await writeSamples(tx, samples, await lockDevices(tx, ids));
    await noteActivity(
      tx,
      ids.map((id) => {
        const times = samples.filter(({ deviceId }) => deviceId === id).map(({ time }) => time);
        return { id, messages: times.length, lastSeen: seen, lastEventTime: Math.max(...times) };
      }),
    );
    return written;
  });
}

const every = (stepMs: number, from: number, to: number, deviceId = 1, metrics = [1, 2]): Sample[] =>
  Array.from({ length: Math.ceil((to - from) / stepMs) }, (_, i) => {
    const time = from + i * stepMs;
    return { deviceId, time, metrics, values: metrics.map((metric) => ((time / 1000 + metric) % 64) / 4) };
  });

const rows = async (table: string) =>
  (await db.pool.query<{ n: number }>(`SELECT count(*)::integer AS n FROM ${table}`)).rows[0]!.n;
const rolledUntil = async (id = 1) =>
  (
    await db.pool.query<{ at: Date | null }>(`SELECT rolled_until AS at FROM device WHERE id = $1`, [id])
  ).rows[0]!.at?.getTime() ?? null;
const run = (now = NOW) => merge!.run(jobContext(db.pool, { now }));

test("an hour under way becomes one block when it has many, without rollups", async () => {
  await devices(2);
  for (let i = 0; i < 200; i++) await send(every(1000, T + i * 2000, T + i * 2000 + 1000, 1));
  await send(every(HOUR, T, T + HOUR, 2));
  await run();
  expect([await rows("sample"), await rows("rollup_hour"), await rolledUntil()]).toEqual([2, 0, T]);
  await send(every(1000, T + 500, T + 30_500));
  await send([{ deviceId: 1, time: T + 2000, metrics: [3], values: [7] }]);
  await run(NOW + 2 * HOUR);
  expect([await rows("sample"), await rows("rollup_hour"), await rows("late_hour"), await rolledUntil()]).toEqual([
    2,
    2,
    0,
    T + HOUR,
  ]);
});

test("complete hours become a block each with their rollups; the last one only when its device is silent", async () => {
  await devices(1);
  for (const from of [T, T + 20 * MINUTE, T + HOUR - MINUTE, T + 5 * HOUR])
    await send(every(2000, from, from + 2 * MINUTE));
  expect([await rows("sample"), await rows("rollup_hour"), await rolledUntil()]).toEqual([5, 0, null]);
  await run();
  expect([await rows("sample"), await rows("rollup_hour"), await rolledUntil()]).toEqual([3, 2, T + 5 * HOUR]);
  await run(NOW + 2 * HOUR);
  expect([await rows("sample"), await rows("rollup_hour"), await rolledUntil()]).toEqual([3, 3, T + 6 * HOUR]);
});

test("minute rollups are kept of hours that hold clearly more readings", async () => {
  await devices(2);
  await send([...every(5000, T, T + HOUR), ...every(7000, T, T + HOUR, 2)]);
  await run(NOW + 2 * HOUR);
  const { rows: kept } = await db.pool.query(
    `SELECT device_id AS device, count(*)::integer AS minutes FROM rollup_minute GROUP BY 1`,
  );
  expect(kept).toEqual([{ device: 1, minutes: 60 }]);
  expect(await rows("reading_minute")).toBe(2 * 2 * 60);
});

test("late readings take their hour's rollups away until it is merged again; a repeat takes nothing", async () => {
  await devices(1);
  await send(every(1000, T, T + 3 * HOUR, 1, [1]));
  await run();
  expect(await rows("rollup_minute")).toBe(120);
  const [first] = every(1000, T + HOUR, T + HOUR + 1, 1, [1]);
  expect(await send([first!])).toMatchObject({ added: [], duplicates: 1 });
  expect(await rows("late_hour")).toBe(0);
  const late = { deviceId: 1, time: T + HOUR + 500, metrics: [1], values: [7] };
  const more = { ...first!, metrics: [1, 2], values: [first!.values[0]! + 1, 8] };
  expect(await send([late, more])).toMatchObject({
    ...{ added: [{ metrics: [2] }, { metrics: [1] }], duplicates: 0, late: 2 },
    conflicts: [{ metric: 1, kept: first!.values[0] }],
  });
  expect([await rows("late_hour"), await rows("rollup_hour"), await rows("rollup_minute")]).toEqual([1, 1, 60]);
  expect(await faultsOfReadings(db.pool)).toEqual([]);
  await run();
  expect([await rows("late_hour"), await rows("rollup_hour"), await rows("rollup_minute")]).toEqual([0, 2, 120]);
  expect(await rows("sample")).toBe(3);
});

test("a step that is killed leaves all as it was, wherever it was; the next goes on", async () => {
  await devices(3);
  for (const device of [1, 2, 3]) await send(every(20_000, T, T + 4 * HOUR, device));
  await run();
  await send(every(30_000, T + 7, T + 2 * HOUR, 2));
  await send(every(20_000, T + 4 * HOUR, T + 7 * HOUR, 1));
  const before = await db.pool.query("SELECT * FROM stored_reading ORDER BY 1, 2, 3");
  // The connection breaks after so many statements of the run's steps.
  for (let statements = 1; ; statements++) {
    const ctx = jobContext(db.pool, { now: NOW });
    let left = statements;
    const killed: typeof ctx = {
      ...ctx,
      step: (work) =>
        ctx.step((tx) =>
          work(
            new Proxy(tx, {
              get(target, key) {
                const value = Reflect.get(target, key) as unknown;
                if (typeof value !== "function") return value;
                if (key === "query" && left-- <= 0) throw new Error("killed");
                return value.bind(target) as unknown;
              },
            }),
          ),
        ),
    };
    const ended = await merge!.run(killed).then(
      () => true,
      (error: Error) => {
        if (error.message !== "killed") throw error;
        return false;
      },
    );
    expect(await faultsOfReadings(db.pool)).toEqual([]);
    const { rows: after } = await db.pool.query(
      "SELECT device_id, metric_id, time, value FROM stored_reading ORDER BY 1, 2, 3",
    );
    expect(after).toEqual(
      before.rows.map(({ device_id, metric_id, time, value }: Record<string, unknown>) => ({
        device_id,
        metric_id,
        time,
        value,
      })),
    );
    if (ended) break;
  }
  expect([await rows("sample"), await rows("late_hour")]).toEqual([7 + 4 + 4, 0]);
}, 60_000);

test("more devices and hours than a step takes are all merged, in steps of bounded work", async () => {
  await devices(120);
  for (let device = 1; device <= 120; device++) await send(every(15 * MINUTE, T, T + 2 * HOUR + 1, device));
  await send(every(10 * MINUTE, T + 3 * HOUR, T + 200 * HOUR + 1, 3, [1]));
  await send(every(1000, T + 3 * HOUR, T + 20 * HOUR + 1, 5, [1, 2, 3]));
  const ctx = jobContext(db.pool, { now: NOW });
  let steps = 0;
  await merge!.run({ ...ctx, step: (work) => (steps++, ctx.step(work)) });
  expect(await rows("device WHERE rolled_until <> date_trunc('hour', last_event_time, 'UTC')")).toBe(0);
  expect(await rows("rollup_hour")).toBe(120 * 2 + (197 + 1) + (17 + 1));
  expect(steps).toBeGreaterThan(5);
  expect(steps).toBeLessThan(30);
});

test("hours of an earlier version are merged once, from where a killed worker was", async () => {
  await devices(2);
  await db.pool.query(
    `INSERT INTO sample (device_id, time, metrics, values)
     SELECT d, to_timestamp($1::float8 / 1000) + n * interval '20 seconds', '{2,1}', ARRAY[n, n / 4.0] FROM generate_series(1, 2) d, generate_series(0, 4 * 180 - 1) n;`.replaceAll(
      "$1",
      String(T),
    ),
  );
  await db.pool.query(`UPDATE device SET last_event_time = to_timestamp($1::float8 / 1000), last_seen = now()`, [
    T + 5 * HOUR,
  ]);
  await run();
  // As it was before: rows a moment, and their rollups.
  await db.pool.query("UPDATE device SET last_event_time = NULL");
  const before = await db.pool.query("SELECT device, metric, time, value FROM reading ORDER BY 1, 2, 3");
  await db.pool.query("DELETE FROM sample");
  await db.pool.query(
    `INSERT INTO sample (device_id, time, metrics, values)
     SELECT d, to_timestamp($1::float8 / 1000) + n * interval '20 seconds', '{2,1}', ARRAY[n, n / 4.0] FROM generate_series(1, 2) d, generate_series(0, 4 * 180 - 1) n;`.replaceAll(
      "$1",
      String(T),
    ),
  );
  const ctx = jobContext(db.pool, { now: NOW });
  let left = 1;
  await upgrade!
    .run({ ...ctx, step: (work) => (left-- > 0 ? ctx.step(work) : Promise.reject(new Error("killed"))) })
    .catch((error: Error) => expect(error.message).toBe("killed"));
  const noted = ctx.noted()!;
  await upgrade!.run({ ...ctx, run: { ...ctx.run, done: noted.done, cursor: noted.cursor } });
  expect(ctx.noted()).toMatchObject({ done: 8 });
  expect(await rows("sample")).toBe(8);
  expect((await db.pool.query("SELECT device, metric, time, value FROM reading ORDER BY 1, 2, 3")).rows).toEqual(
    before.rows,
  );
});
