import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { readSites } from "./sites";
import { readTypes } from "./types";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("sites and types of the version before stay as they are, and know their names from the first rename on", async () => {
  await goBackBefore(db, "20261207010000_other_names");
  await db.pool.query(`INSERT INTO site (name) VALUES ('north');
    INSERT INTO device (name, site_id, type) VALUES ('a', 1, 'press')`);
  await migrate(db.connectionString);
  expect(await readSites(db.pool, "all")).toMatchObject([{ id: 1, name: "north", others: [], devices: 1 }]);
  await db.pool.query(`UPDATE device_type SET name = 'presses'; INSERT INTO device_type_alias VALUES ('press', 1);
    INSERT INTO device (name, type) VALUES ('b', 'press')`);
  expect(await readTypes(db.pool, "all")).toEqual([
    { id: 1, name: "presses", others: ["press"], staleSeconds: null, devices: 2 },
  ]);
});
