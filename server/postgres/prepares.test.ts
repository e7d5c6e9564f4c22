import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pool } from "pg";
import pino from "pino";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { createPool } from "./connection";
import { withTransaction } from "./transaction";

let db: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  db = await freshDatabase();
  pool = createPool(db.connectionString, { role: "test", logger: pino({ level: "silent" }), size: 1, prepares: true });
});
afterAll(async () => {
  await pool.end();
  await db.drop();
});

test("a pool that prepares has each connection parse a statement once, however it is given", async () => {
  const text = `SELECT $1::text AS value, '${randomUUID()}' AS mark`;
  const values = async (query: Promise<{ rows: { value: string }[] }>) => (await query).rows.map(({ value }) => value);
  expect(await values(pool.query(text, ["a"]))).toEqual(["a"]);
  expect(await values(pool.query({ text, values: ["b"] }))).toEqual(["b"]);
  expect(await withTransaction(pool, (tx) => values(tx.query(text, ["c"])), ["SET LOCAL jit = off"])).toEqual(["c"]);
  const { rows } = await pool.query(
    "SELECT (generic_plans + custom_plans)::int AS runs FROM pg_prepared_statements WHERE statement = $1",
    [text],
  );
  expect(rows).toEqual([{ runs: 3 }]);
});
