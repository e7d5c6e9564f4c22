import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
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
});

test("past the bound, and where rows are already, months stay in the default partition", async () => {
  const bounded = createPartitions(db.pool, 3);
  await bounded.ensure([month(1980, 0), month(1981, 0)]);
  expect(await partitions("sample")).toContain("sample_1980_01");
  expect(await partitions("sample")).not.toContain("sample_1981_01");
  await insert(month(1981, 0));
  await createPartitions(db.pool).ensure([month(1981, 0), month(1981, 1), month(9999, 11)]);
  expect(await partitions("sample")).not.toContain("sample_1981_01");
  expect(await partitions("sample")).toEqual(expect.arrayContaining(["sample_1981_02", "sample_9999_12"]));
});

test("retention drops whole months, and the older rows of the default partition", async () => {
  await insert(month(2020, 6));
  await insert(month(2020, 7));
  await db.pool.query(
    `INSERT INTO device (name) SELECT 'd' || n FROM generate_series(1, 250) n;
     INSERT INTO rollup_hour SELECT id, bucket::timestamptz, '{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}'
       FROM device, unnest('{2020-07-15,2020-08-15}'::text[]) bucket`,
  );
  const ctx = jobContext(db.pool, { now: month(2020, 7) + 10 * 86_400_000 });
  for (const job of readingJobs({ days: 10 })) await job.run(ctx);
  expect(ctx.noted()).toMatchObject({ done: expect.any(Number), cursor: expect.any(Number) });
  const left = [...(await partitions("sample")), ...(await partitions("rollup_minute"))];
  for (const gone of ["sample_2020_07", "rollup_minute_2020_07", "sample_1980_01"]) expect(left).not.toContain(gone);
  expect((await db.pool.query(`SELECT count(*)::int, min(bucket) AS at FROM rollup_hour`)).rows).toEqual([
    { count: 250, at: new Date("2020-08-15T00:00:00Z") },
  ]);
  const { rows } = await db.pool.query<{ time: Date }>(`SELECT time FROM sample`);
  expect(rows.map((row) => row.time.getTime())).toEqual([month(2020, 7)]);
});
