import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { mergeAll, storeSamples } from "@/server/testing/stored-readings";
import { exportRows } from "./reading-export";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 31, 20);

async function device(name: string): Promise<number> {
  const { rows } = await db.pool.query<{ id: number }>("INSERT INTO device (name) VALUES ($1) RETURNING id", [name]);
  return rows[0]!.id;
}

async function store(deviceId: number, count: number, everyMs: number): Promise<void> {
  const at = (i: number) => ({ deviceId, time: START + i * everyMs, metrics: [1], values: [i] });
  await storeSamples(
    db.pool,
    Array.from({ length: count }, (_, i) => at(i)),
  );
}

/** The chunks' sizes, and the values in order. */
async function read(id: number, source: "raw" | "minute" | "hour") {
  const [sizes, values]: [number[], number[]] = [[], []];
  const query = { sites: "all", device: id, metrics: [1, 2], from: 0, to: START + 10_000 * HOUR } as const;
  for await (const rows of exportRows(db.pool, source, query)) {
    sizes.push(rows.length);
    for (const { cells } of rows) values.push(cells[0]!.last);
    expect(rows.every(({ cells }) => cells[1] === null)).toBe(true);
    // Nothing is held while somebody takes a chunk.
    expect(db.pool.idleCount).toBe(db.pool.totalCount);
  }
  return { sizes, values };
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test("a long download comes in chunks of bounded size, whole and in order, before and after merging", async () => {
  const id = await device("secondly");
  await store(id, 40_000, 1000);
  const before = await read(id, "raw");
  expect(before.values).toEqual(upTo(40_000));
  await mergeAll(db.pool);
  const after = await read(id, "raw");
  expect(after.values).toEqual(before.values);
  for (const { sizes } of [before, after]) expect(Math.max(...sizes)).toBeLessThanOrEqual(5000);
  expect((await read(id, "minute")).values.length).toBe(Math.ceil(40_000 / 60));
});

test("more hours than are looked at at once, with a reading each", async () => {
  const id = await device("hourly");
  await store(id, 1300, HOUR);
  await mergeAll(db.pool);
  for (const source of ["raw", "minute", "hour"] as const) expect((await read(id, source)).values).toEqual(upTo(1300));
});

test("more rows in an hour than are looked at at once, as earlier versions wrote them", async () => {
  const id = await device("earlier");
  await db.pool.query(
    `INSERT INTO sample (device_id, time, metrics, values)
     SELECT $1, to_timestamp($2::float8 / 1000) + i * interval '500 ms', '{1}', ARRAY[i::float8] FROM generate_series(0, 14399) AS i`,
    [id, START],
  );
  expect((await read(id, "raw")).values).toEqual(upTo(14_400));
  expect((await read(id, "hour")).values).toEqual([7199, 14_399]);
});
