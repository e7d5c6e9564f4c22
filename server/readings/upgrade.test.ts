import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { faultsOfReadings } from "@/server/testing/kept-readings";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { readColumns } from "./blocks";
import { mergeJobs } from "./merge";
import { readingJobs } from "./jobs";
import { createPartitions } from "./partitions";
import { readSeries } from "./reading-queries";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const AT = Date.UTC(2026, 0, 15, 10);

test("sums that were cut off at the largest double are counted anew, others stay", async () => {
  await goBackBefore(db, "20261128170000_large_sums");
  const bucket = (table: string) =>
    `INSERT INTO ${table} (device_id, bucket, metrics, counts, sums, mins, maxs, firsts, first_at, lasts, last_at)
     VALUES (1, '2026-01-15T10:00:00Z', '{1,2}', '{3,3}', '{1.7976931348623157e308,6}', '{1.5e308,1}', '{1.7e308,3}', '{1.6e308,1}', '{0,0}', '{1.7e308,3}', '{2000,2000}')`;
  await db.pool.query(
    `INSERT INTO device (name) VALUES ('meter-1');
     INSERT INTO metric (name, kind) VALUES ('large', 'number'), ('small', 'number');
     INSERT INTO sample_other (device_id, time, metrics, values) VALUES
       (1, '2026-01-15T10:00:00Z', '{1,2}', '{1.6e308,1}'), (1, '2026-01-15T10:00:01Z', '{1,2}', '{1.5e308,2}'), (1, '2026-01-15T10:00:02Z', '{1,2}', '{1.7e308,3}');
     ${bucket("rollup_minute_other")}; ${bucket("rollup_hour")}`,
  );
  await migrate(db.connectionString);
  for (const resolution of ["minute", "hour"] as const) {
    const of = async (metric: number) =>
      (
        await readSeries(db.pool, {
          sites: "all",
          device: 1,
          metric,
          from: AT,
          to: AT + 60_000,
          resolution,
          maxPoints: 10,
        })
      ).points[0]!;
    expect((await of(1)).mean / 1.6e308).toBeCloseTo(1, 12);
    expect((await of(2)).mean).toBe(2);
    const { rows } = await db.pool.query(`SELECT metric, sum FROM reading_${resolution} ORDER BY metric`);
    expect(rows).toEqual([
      { metric: "large", sum: null },
      { metric: "small", sum: 6 },
    ]);
  }
});

test("hour rollups from before they were divided are kept, read and removed as before, and what comes gets months of its own", async () => {
  await goBackBefore(db, "20261130352000_months_of_hours");
  const row = `'{1}', '{2}', '{3}', '{1}', '{2}', '{1}', '{0}', '{2}', '{60000}'`;
  await db.pool.query(
    `INSERT INTO device (name, rolled_until) VALUES ('pump', '2100-01-01Z');
     INSERT INTO metric (name, kind) VALUES ('power', 'number');
     INSERT INTO rollup_hour SELECT 1, at, ${row} FROM unnest(ARRAY['2019-05-01 10:00Z', date_trunc('hour', now()), '2099-01-01 10:00Z']::timestamptz[]) at`,
  );
  const all = async () => (await db.pool.query("SELECT * FROM rollup_hour ORDER BY bucket")).rows;
  const view = async () => (await db.pool.query("SELECT * FROM reading_hour ORDER BY bucket")).rows;
  const [rows, shown] = [await all(), await view()];
  await migrate(db.connectionString);
  expect([await all(), await view()]).toEqual([rows, shown]);
  const held = async () =>
    (
      await db.pool.query<{ t: string }>("SELECT tableoid::regclass::text AS t FROM rollup_hour ORDER BY bucket")
    ).rows.map(({ t }) => t);
  expect(await held()).toEqual(["rollup_hour_before", "rollup_hour_before", "rollup_hour_other"]);

  // Months that are in the old one aren't made, those after it are.
  const now = new Date();
  const soon = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 3, 15);
  await createPartitions(db.pool).ensure([Date.UTC(2019, 4, 2), now.getTime(), soon]);
  await db.pool.query(`INSERT INTO rollup_hour SELECT 1, $1, ${row}`, [new Date(soon)]);
  const month = `rollup_hour_${new Date(soon).toISOString().slice(0, 7).replace("-", "_")}`;
  expect(await held()).toEqual(["rollup_hour_before", "rollup_hour_before", month, "rollup_hour_other"]);

  const [retention] = readingJobs({ days: 60 });
  await retention!.run(jobContext(db.pool));
  expect(await held()).toEqual(["rollup_hour_before", month, "rollup_hour_other"]);
  await retention!.run(jobContext(db.pool, { now: soon + 200 * 86_400_000 }));
  expect(await held()).toEqual(["rollup_hour_other"]);
});

test("readings that lie as a row a moment are the same after the upgrade, after they are merged, and when more come", async () => {
  await goBackBefore(db, "20261129100000_reading_blocks");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('north');
     INSERT INTO device (name, site_id, messages, first_seen, last_seen, last_event_time) VALUES
       ('often', 1, 1, '2026-01-01', now(), '2026-02-01T01:30:00Z'), ('seldom', 1, 1, '2026-01-01', now(), '2026-02-01T00:58:00Z'), ('new', NULL, 0, now(), NULL, NULL);
     INSERT INTO metric (name, kind) VALUES ('power', 'number'), ('door', 'boolean'), ('odd', 'number');
     SELECT make_month('sample', 2026, 1); SELECT make_month('rollup_minute', 2026, 1);
     INSERT INTO sample (device_id, time, metrics, values)
       SELECT 1, at, CASE WHEN n % 7 = 0 THEN '{1,2}' ELSE '{1}' END::integer[], CASE WHEN n % 7 = 0 THEN ARRAY[n / 4.0, n % 2] ELSE ARRAY[-n / 4.0] END
       FROM (SELECT row_number() OVER () AS n, at FROM generate_series('2026-01-31T22:10:00.123Z'::timestamptz, '2026-02-01T01:30:00Z', '4 seconds') at) AS moment;
     INSERT INTO sample (device_id, time, metrics, values)
       SELECT 2, at, '{3}', '{-0}' FROM generate_series('2026-01-03T00:00:00Z'::timestamptz, '2026-02-01T00:58:00Z', '5 hours 58 minutes') at;
     INSERT INTO sample (device_id, time, metrics, values) VALUES (2, '2026-02-01T00:58:00Z', '{2,3}', '{1,1e300}')`,
  );
  for (const [table, unit] of [
    ["rollup_minute", "minute"],
    ["rollup_hour", "hour"],
  ] as const)
    await db.pool.query(
      `INSERT INTO ${table} (device_id, bucket, metrics, counts, sums, mins, maxs, firsts, first_at, lasts, last_at)
       SELECT device_id, bucket, array_agg(metric ORDER BY metric), array_agg(count ORDER BY metric), array_agg(sum ORDER BY metric), array_agg(min ORDER BY metric),
         array_agg(max ORDER BY metric), array_agg(first ORDER BY metric), array_agg(first_at ORDER BY metric), array_agg(last ORDER BY metric), array_agg(last_at ORDER BY metric)
       FROM (SELECT device_id, date_trunc('${unit}', time, 'UTC') AS bucket, metric, count(*)::integer AS count, sum(value) AS sum, min(value) AS min, max(value) AS max,
           (array_agg(value ORDER BY time))[1] AS first, (array_agg(value ORDER BY time DESC))[1] AS last,
           (extract(epoch FROM min(time) - date_trunc('${unit}', min(time), 'UTC')) * 1000)::integer AS first_at,
           (extract(epoch FROM max(time) - date_trunc('${unit}', max(time), 'UTC')) * 1000)::integer AS last_at
         FROM sample, unnest(metrics, values) AS v (metric, value) GROUP BY 1, 2, 3) AS one GROUP BY 1, 2`,
    );
  const all = async () => {
    const views = [
      "SELECT device, site, metric, unit, time, value FROM reading ORDER BY 1, 3, 5",
      "SELECT device, metric, bucket, count, sum + 0 AS sum, min, max, first, last FROM reading_minute ORDER BY 1, 2, 3",
      "SELECT device, metric, bucket, count, sum + 0 AS sum, min, max, first, last FROM reading_hour ORDER BY 1, 2, 3",
    ];
    return Promise.all(views.map(async (view) => (await db.pool.query<Record<string, unknown>>(view)).rows));
  };
  const count = async (table: string) =>
    (await db.pool.query<{ n: number }>(`SELECT count(*)::integer AS n FROM ${table}`)).rows[0]!.n;
  const before = await all();
  const [hours, minutes] = [await count("rollup_hour"), await count("rollup_minute")];

  await migrate(db.connectionString);
  expect(await all()).toEqual(before);
  expect(await faultsOfReadings(db.pool)).toEqual([]);
  // Each device's last hour has lost its rollups.
  expect([await count("rollup_hour"), await count("rollup_minute")]).toEqual([hours - 2, minutes - 30 - 1]);
  const { rows: runs } = await db.pool.query(`SELECT job, state, total::integer FROM job_run`);
  expect(runs).toEqual([{ job: "readings-upgrade", state: "waiting", total: hours - 2 }]);

  const device = { id: 1, metrics: [1, 2], from: Date.UTC(2026, 0, 31, 22), to: Date.UTC(2026, 1, 1, 2) };
  const columns = () => readColumns(db.pool, { ...device, device: device.id });
  const read = await columns();
  const [, upgrade] = mergeJobs();
  const ctx = jobContext(db.pool);
  await upgrade!.run(ctx);
  expect(ctx.noted()).toMatchObject({ done: hours - 2 });
  expect(await all()).toEqual(before);
  expect(await columns()).toEqual(read);
  expect(await faultsOfReadings(db.pool)).toEqual([]);
  expect(await count("sample")).toBeLessThan(hours + 30 * 60);
  expect(await count("sample WHERE device_id = 1 AND time < '2026-02-01T01:00:00Z'")).toBe(3);

  const log = createScriptedLog("upgraded", 1);
  const at = Date.parse("2026-01-31T22:10:00.123Z");
  const send = (time: number, readings: Record<string, number>) => log.append(0, { device: "often", time, readings });
  send(at, { power: -0.25 }); // a repeat
  send(at, { power: 17, odd: 4 }); // a conflict, and a reading that joins its moment
  send(at + 1, { power: 3 }); // late
  send(at + 4 * 3_600_000, { power: 5 }); // new
  await (await createRig(db.pool, log)).drain(2);
  for (const [merge] of [mergeJobs(), mergeJobs()]) {
    const now = await all();
    expect(now[0]!.length).toBe(before[0]!.length + 3);
    const { rows } = await db.pool.query(
      `SELECT metric, value FROM reading WHERE device = 'often' AND time <= to_timestamp($1::float8 / 1000) ORDER BY time, metric`,
      [at + 1],
    );
    expect(rows.map(({ metric, value }) => [metric, value])).toEqual([
      ["odd", 4],
      ["power", -0.25],
      ["power", 3],
    ]);
    expect(await faultsOfReadings(db.pool)).toEqual([]);
    await merge!.run(jobContext(db.pool));
  }
  const { rows: totals } = await db.pool.query(
    `SELECT readings::int, duplicates::int, conflicts::int FROM pipeline_position WHERE cluster = 'upgraded'`,
  );
  expect(totals).toEqual([{ readings: 3, duplicates: 1, conflicts: 1 }]);
});
