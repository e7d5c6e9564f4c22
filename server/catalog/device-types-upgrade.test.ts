import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { readTypes } from "./types";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("types of the version before are there, with their devices, and nothing said of when these are stale", async () => {
  await goBackBefore(db, "20261204021000_device_types");
  await db.pool.query(
    `INSERT INTO device (name, type) VALUES ('a', 'Füllstand Sonde'), ('b', 'press'), ('c', 'press'), ('d', NULL)`,
  );
  await migrate(db.connectionString);
  expect(await readTypes(db.pool, "all")).toMatchObject([
    { name: "Füllstand Sonde", staleSeconds: null, devices: 1 },
    { name: "press", staleSeconds: null, devices: 2 },
  ]);
});
