import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { factsAt, readDevicePast } from "./past";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("a database from before devices had a past keeps what they are, and remembers what changes from then on", async () => {
  await goBackBefore(db, "20261202020000_device_past");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('north'), ('south');
     INSERT INTO device (name, site_id, type, messages) VALUES ('d', 1, 'press', 3);
     INSERT INTO device_label (device_id, key, value, by_person) VALUES (1, 'line', '4', true)`,
  );
  await migrate(db.connectionString);
  const before = (await readDevicePast(db.pool, "d", "all"))!;
  expect(before.facts).toEqual({ name: "d", site: "north", type: "press", labels: { line: "4" } });
  expect(before.changes).toEqual([]);

  const then = Date.now();
  await db.pool.query(`UPDATE device SET messages = 4, site_id = site_id`);
  expect((await readDevicePast(db.pool, "d", "all"))!.changes).toEqual([]);
  await db.pool.query(`UPDATE device SET site_id = 2, type = NULL`);
  await db.pool.query(`UPDATE device_label SET value = '5'`);
  await db.pool.query(`INSERT INTO device_label (device_id, key, value, by_person) VALUES (1, 'hall', '3', true)`);
  const past = (await readDevicePast(db.pool, "d", "all"))!;
  expect(past.facts).toEqual({ name: "d", site: "south", type: null, labels: { line: "5", hall: "3" } });
  expect(factsAt(past, then - 1)).toEqual(before.facts);
  await db.pool.query(`DELETE FROM device_label WHERE key = 'hall'`);
  expect((await readDevicePast(db.pool, "d", "all"))!.changes[0]).toMatchObject({ part: "label", before: "3" });

  await db.pool.query(`DELETE FROM device`);
  expect((await db.pool.query(`SELECT FROM device_past`)).rowCount).toBe(0);
});
