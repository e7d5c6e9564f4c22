import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { addReadings, createOddWorker, ODD_DAY as DAY, ODD_STEP as STEP } from "@/server/testing/odd-rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const BEGIN = Date.UTC(2026, 0, 1);
const KNOWN = BEGIN + 10 * DAY;
const WAVE = `20 + 8 * sin(n * pi() / 144) + sin(n * n)`;

test("a database from before keeps what it holds, and its readings are what is known of its series", async () => {
  await goBackBefore(db, "20261202040000_oddness");
  await db.pool.query(
    `INSERT INTO device (name) VALUES ('d'); INSERT INTO metric (name, kind) VALUES ('a', 'number'); INSERT INTO device_metric (device_id, metric_id) VALUES (1, 1)`,
  );
  const readings = (from: number, to: number, jump: number) =>
    addReadings(db.pool, 1, [`${WAVE} + ${jump}`], { begin: BEGIN, from, to });
  await readings(BEGIN, KNOWN, 0);
  await migrate(db.connectionString);
  expect((await db.pool.query(`SELECT count(*)::int AS n FROM reading`)).rows).toEqual([{ n: 2880 }]);
  const run = createOddWorker(db.pool);
  await run(KNOWN + 60_000);
  await readings(KNOWN, KNOWN + STEP, 40);
  await run(KNOWN + STEP + 60_000);
  expect((await db.pool.query(`SELECT device_id, goes_on, said FROM odd_stretch WHERE peak > 2`)).rows).toEqual([
    { device_id: 1, goes_on: true, said: null },
  ]);
});
