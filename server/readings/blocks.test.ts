import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { binaryRows, copyBinary } from "@/server/postgres/copy";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { addBlock, type Block, BLOCK_TARGET, readBlocks, readColumns, readColumnsOf } from "./blocks";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
  await db.pool.query(
    `INSERT INTO device (name) VALUES ('a'); INSERT INTO metric (name, kind) VALUES ('m1', 'number'), ('m2', 'number'), ('m3', 'number')`,
  );
});
afterAll(() => db.drop());
beforeEach(() => db.pool.query("TRUNCATE sample"));

const HOUR = 3_600_000;
const T = Date.UTC(2020, 6, 31, 22);
const blockOf = (times: number[], metrics: number[], values: number[]): Block => {
  return { device: 1, times: Float64Array.from(times), metrics, values: Float64Array.from(values) };
};

async function write(...blocks: Block[]): Promise<void> {
  const rows = binaryRows();
  for (const block of blocks) addBlock(rows, block);
  await withTransaction(db.pool, (tx) => copyBinary(tx, BLOCK_TARGET, rows));
}

test("a block comes back with every bit, and the views show its readings", async () => {
  const odd = [-0, 5e-324, Number.MAX_VALUE, 0.1, NaN, -1e300, 1 / 3, NaN, 7];
  const block = blockOf([T, T + 1, T + HOUR - 1], [1, 2, 3], odd);
  await write(block);
  const [found] = await readBlocks(db.pool, [{ device: 1, from: T, to: T + HOUR }]);
  expect(found).toEqual(block);
  expect(Object.is(found!.values[0], -0)).toBe(true);
  const { rows } = await db.pool.query(
    `SELECT metric, (extract(epoch FROM time) * 1000)::float8 - $1::float8 AS at, value, (extract(epoch FROM block) * 1000)::float8 - $1::float8 AS block
     FROM reading ORDER BY metric, time`,
    [T],
  );
  expect(rows).toEqual(
    [
      ["m1", 0, -0],
      ["m1", 1, 5e-324],
      ["m1", HOUR - 1, Number.MAX_VALUE],
      ["m2", 0, 0.1],
      ["m2", HOUR - 1, -1e300],
      ["m3", 0, 1 / 3],
      ["m3", HOUR - 1, 7],
    ].map(([metric, at, value]) => ({ metric, at, value, block: HOUR - 1 })),
  );
});

test("columns are cut to the range, put in order where blocks interleave, and know rows of earlier versions", async () => {
  await db.pool.query(`INSERT INTO sample (device_id, time, metrics, values) VALUES (1, $1, '{2,1}', '{20,-0}')`, [
    new Date(T + 5),
  ]);
  await write(
    blockOf([T, T + 10, T + 20], [1, 3], [1, 2, 3, NaN, 31, 32]),
    blockOf([T + 7, T + 15], [1, 2], [4, NaN, 5, 6]),
    blockOf([T + HOUR, T + HOUR + 1], [1], [8, 9]),
  );
  const read = async (metrics: number[], from: number, to: number) =>
    [...(await readColumns(db.pool, { device: 1, metrics, from, to }))].map(([metric, { times, values }]) => [
      metric,
      [...times].map((time) => time - T),
      [...values],
    ]);
  expect(await read([2, 1], T + 1, T + HOUR + 1)).toEqual([
    [2, [5, 7, 15], [20, 5, 6]],
    [1, [5, 7, 10, 20, HOUR], [-0, 4, 2, 3, 8]],
  ]);
  expect(await read([3], T, T + 21)).toEqual([[3, [10, 20], [31, 32]]]);
  expect(await read([9], T, T + HOUR)).toEqual([[9, [], []]]);
  expect(await read([1], T + 21, T + HOUR)).toEqual([[1, [], []]]);
  const stretches = [
    { device: 1, from: T + HOUR, to: T + HOUR + 1 },
    { device: 2, from: T, to: T + HOUR },
    { device: 1, from: T + 6, to: T + 11 },
  ];
  expect((await readColumnsOf(db.pool, [1], stretches)).map((columns) => [...columns.get(1)!.values])).toEqual([
    [8],
    [],
    [4, 2],
  ]);
});

test("rollups show in the views where there are none kept", async () => {
  await write(blockOf([T + 59_999, T + 60_000], [1, 2], [-0, 1, 1e308, 1.5e308]));
  const read = async (view: string) =>
    (
      await db.pool.query(
        `SELECT metric, bucket, count, sum, min, max, first, last FROM ${view} ORDER BY metric, bucket`,
      )
    ).rows;
  const hour = new Date(T);
  expect(await read("reading_hour")).toEqual([
    { metric: "m1", bucket: hour, count: 2, sum: 1, min: -0, max: 1, first: -0, last: 1 },
    { metric: "m2", bucket: hour, count: 2, sum: null, min: 1e308, max: 1.5e308, first: 1e308, last: 1.5e308 },
  ]);
  expect(
    (await read("reading_minute")).map(({ metric, bucket, count, sum }) => [metric, bucket.getTime() - T, count, sum]),
  ).toEqual([
    ["m1", 0, 1, -0],
    ["m1", 60_000, 1, 1],
    ["m2", 0, 1, null],
    ["m2", 60_000, 1, null],
  ]);
});
