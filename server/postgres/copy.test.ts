import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProxy } from "@/e2e/drills/proxy";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { DatabaseUnavailableError } from "./client";
import { createPool } from "./connection";
import { type BinaryRows, binaryRows, copyBinary } from "./copy";
import { withTransaction } from "./transaction";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

/** More rows than are inserted. */
const MANY = 11;

function numbers(count: number): BinaryRows {
  const rows = binaryRows();
  for (let i = 0; i < count; i++) {
    rows.begin(1);
    rows.integer(i);
  }
  return rows;
}

test("a few rows are written like many", async () => {
  await db.pool.query(
    "CREATE TABLE kinds (id integer PRIMARY KEY, time timestamptz, metrics integer[], values float8[], offsets integer[])",
  );
  const values = [0, -0, 0.1, -1e308, 5e-324, NaN];
  const write = (ids: number[]) =>
    withTransaction(db.pool, async (tx) => {
      const rows = binaryRows();
      for (const id of ids) {
        rows.begin(5);
        rows.integer(id);
        rows.time(Date.UTC(2026, 0, 1) + 1);
        rows.integers([1, -2]);
        rows.doubles(id % 2 === 0 ? values : []);
        rows.nothing();
      }
      await copyBinary(tx, "kinds (id, time, metrics, values, offsets)", rows);
    });
  await write([]);
  await write([0, 1]);
  await write(Array.from({ length: MANY }, (_, i) => 10 + i));
  const { rows } = await db.pool.query<{ kinds: number; negative: string; n: number }>(
    `SELECT count(DISTINCT (time, metrics, encode(array_send(values), 'hex'), offsets))::int AS kinds,
       min(values[2]::text) AS negative, count(*)::int AS n FROM kinds`,
  );
  expect(rows).toEqual([{ kinds: 2, negative: "-0", n: 2 + MANY }]);
  // A key that is there already fails all of it.
  await expect(write([5, 1])).rejects.toMatchObject({ code: "23505" });
  expect((await db.pool.query("SELECT 1 FROM kinds WHERE id = 5")).rowCount).toBe(0);
});

test("a COPY that gets no answer is given up with its connection, and nothing of it is kept", async () => {
  await db.pool.query("CREATE TABLE number (value integer)");
  const proxy = await startProxy();
  const url = new URL(db.connectionString);
  proxy.aim(Number(url.port || 5432));
  Object.assign(url, { hostname: "127.0.0.1", port: String(proxy.port) });
  const pool = createPool(url.href, { role: "test", logger: pino({ level: "silent" }), size: 1 });
  const write = (stall: boolean) =>
    withTransaction(pool, async (tx) => {
      const rows = numbers(MANY);
      if (stall) proxy.stall();
      await copyBinary(tx, "number (value)", rows, stall ? 200 : undefined);
    });
  try {
    await expect(write(true)).rejects.toThrow(DatabaseUnavailableError);
    proxy.mend();
    await write(false);
    expect((await db.pool.query("SELECT count(*)::int AS n FROM number")).rows).toEqual([{ n: MANY }]);
  } finally {
    await pool.end();
    await proxy.close();
  }
});
