import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { until } from "@/server/testing/until";
import { readingJobs } from "./jobs";
import { createPartitions } from "./partitions";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const month = (year: number, index: number) => Date.UTC(year, index, 15);
const partitions = async (table: string) =>
  (
    await db.pool.query<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1`,
      [table],
    )
  ).rows.map((row) => row.name);
const insert = (time: number) =>
  db.pool.query(`INSERT INTO sample VALUES (1, $1, '{1}', '{1}')`, [new Date(time).toISOString()]);

test("months are made once, by several workers at the same time", async () => {
  const workers = Array.from({ length: 4 }, () => createPartitions(db.pool));
  await Promise.all(workers.map((worker) => worker.ensure([month(2020, 6), month(2020, 7), month(2020, 6)])));
  expect(await partitions("sample")).toEqual(["sample_2020_07", "sample_2020_08", "sample_other"]);
  expect(await partitions("rollup_minute")).toEqual([
    "rollup_minute_2020_07",
    "rollup_minute_2020_08",
    "rollup_minute_other",
  ]);
  expect(await partitions("rollup_hour")).toEqual(
    expect.arrayContaining(["rollup_hour_2020_07", "rollup_hour_2020_08", "rollup_hour_other"]),
  );
});

test("where rows are already, months stay in the default partition", async () => {
  await insert(month(2019, 0));
  await createPartitions(db.pool).ensure([month(2019, 0), month(2019, 1), month(9999, 11)]);
  expect(await partitions("sample")).not.toContain("sample_2019_01");
  expect(await partitions("sample")).toEqual(expect.arrayContaining(["sample_2019_02", "sample_9999_12"]));
});

test("no years, in whatever order they come, use up what coming months need", { timeout: 120_000 }, async () => {
  const other = await freshDatabase();
  const monthsOf = async () =>
    (
      await other.pool.query<{ name: string }>(
        `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'sample'::regclass`,
      )
    ).rows.map(({ name }) => name);
  try {
    const made = new Set<string>();
    // From the first month there is to the last, a year of the clock further each time.
    const time = fc.integer({ min: 0, max: Date.UTC(2027, 0) - 1 });
    let year = 2026;
    await fc.assert(
      fc.asyncProperty(fc.array(time, { minLength: 100, maxLength: 400 }), async (times) => {
        const now = month(++year, 6);
        const worker = createPartitions(other.pool, () => now);
        await worker.ensure(times);
        const coming = [now, month(year, 7), month(year, 8)];
        for (const one of coming) {
          await worker.ensure([one]);
          const at = new Date(one).toISOString();
          made.add(`sample_${at.slice(0, 4)}_${at.slice(5, 7)}`);
        }
        const names = await monthsOf();
        expect(names).toEqual(expect.arrayContaining([...made]));
        expect(names.length).toBeLessThanOrEqual(1 + 241 + made.size);
        expect(names.every((name) => name === "sample_other" || name >= "sample_2007_07")).toBe(true);
      }),
      { numRuns: 4 },
    );
    // What is older is found as if it had a month of its own.
    await createPartitions(other.pool).ensure([month(1980, 0)]);
    await other.pool.query(`INSERT INTO sample VALUES (1, '1980-01-15Z', '{1}', '{7}')`);
    const { rows } = await other.pool.query(
      `SELECT tableoid::regclass::text AS at, values FROM sample WHERE time < '1981-01-01Z'`,
    );
    expect(rows).toEqual([{ at: "sample_other", values: [7] }]);
  } finally {
    await other.drop();
  }
});

test("a database whose months were used up makes those that come all the same", async () => {
  const old = Array.from({ length: 5 }, (_, i) => 1980 + i);
  for (const year of old)
    await db.pool.query(
      `CREATE TABLE sample_${year}_01 PARTITION OF sample FOR VALUES FROM ('${year}-01-01Z') TO ('${year}-02-01Z')`,
    );
  await createPartitions(db.pool).ensure([month(2026, 2)]);
  expect(await partitions("sample")).toContain("sample_2026_03");
});

test("retention drops whole months, and the older rows of the default partition", async () => {
  await insert(month(2020, 6));
  await insert(month(2020, 7));
  await db.pool.query(
    `INSERT INTO device (name, rolled_until) SELECT 'd' || n, '2030-01-01Z' FROM generate_series(1, 250) n;
     INSERT INTO rollup_hour SELECT id, bucket::timestamptz, '{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}'
       FROM device, unnest('{2020-07-15,2020-08-15}'::text[]) bucket`,
  );
  const ctx = jobContext(db.pool, { now: month(2020, 7) + 10 * 86_400_000 });
  for (const job of readingJobs({ days: 10 })) await job.run(ctx);
  const left = (await Promise.all(["sample", "rollup_minute", "rollup_hour"].map(partitions))).flat();
  for (const gone of [
    "sample_2020_07",
    "rollup_minute_2020_07",
    "rollup_hour_2020_07",
    "sample_1980_01",
    "sample_1984_01",
  ])
    expect(left).not.toContain(gone);
  expect((await db.pool.query(`SELECT count(*)::int, min(bucket) AS at FROM rollup_hour`)).rows).toEqual([
    { count: 250, at: new Date("2020-08-15T00:00:00Z") },
  ]);
  const { rows } = await db.pool.query<{ time: Date }>(`SELECT time FROM sample`);
  expect(rows.map((row) => row.time.getTime())).toEqual([month(2020, 7)]);
});

test("a month in use holds nobody up for long: the rest goes, the run tells of it, and the next try drops it", async () => {
  const later = month(2022, 6);
  await createPartitions(db.pool).ensure([month(2021, 0), month(2021, 1), later]);
  await db.pool.query("INSERT INTO sample_other VALUES (2, '2018-05-01Z', '{1}', '{1}')");
  const reader = await db.pool.connect();
  const run = async () => {
    const ctx = jobContext(db.pool, { now: later });
    for (const job of readingJobs({ days: 10 })) await job.run(ctx);
  };
  try {
    await reader.query("BEGIN; SELECT FROM sample_2021_01");
    await expect(run()).rejects.toMatchObject({
      name: "MonthsInUseError",
      message: expect.stringMatching(/^In use, so left for the next try: sample_2021_01(, sample_2021_02)?\./),
    });
    expect(await partitions("rollup_minute")).not.toContain("rollup_minute_2021_01");
    expect((await db.pool.query("SELECT FROM sample WHERE time < '2019-01-01Z'")).rowCount).toBe(0);
    expect(await partitions("sample")).toContain("sample_2021_01");
    const before = performance.now();
    const dropping = run().catch(() => undefined);
    await until(async () => {
      const { rows } = await db.pool.query(
        "SELECT FROM pg_locks WHERE NOT granted AND relation IN ('sample'::regclass, 'sample_2021_01'::regclass)",
      );
      return rows.length > 0;
    });
    await insert(later);
    expect(performance.now() - before).toBeLessThan(4000);
    await dropping;
  } finally {
    await reader.query("ROLLBACK");
    reader.release();
  }
  await run();
  expect(await partitions("sample")).not.toContain("sample_2021_01");
});
