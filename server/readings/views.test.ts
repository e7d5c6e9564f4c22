import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const ROLLUP = [
  ...["device text", "metric text", "unit text", "bucket timestamp with time zone", "count integer"],
  ...["sum", "min", "max", "first", "last"].map((name) => `${name} double precision`),
];

// People's SQL, dbt projects and Spark jobs lean on them (docs/dbt.md): columns may be added at the end, and nothing else may change.
test.each([
  [
    "reading",
    [
      ...["device text", "site text", "metric text", "unit text", "time timestamp with time zone"],
      ...["value double precision", "block timestamp with time zone"],
    ],
  ],
  ["reading_minute", ROLLUP],
  ["reading_hour", ROLLUP],
])("the view %s is an interface, and has the columns it had", async (view, columns) => {
  const { rows } = await db.pool.query<{ column: string }>(
    `SELECT column_name || ' ' || data_type AS column FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position`,
    [view],
  );
  expect(rows.map(({ column }) => column).slice(0, columns.length)).toEqual(columns);
});
