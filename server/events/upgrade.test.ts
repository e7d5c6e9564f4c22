import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { noteVersion } from "./write";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("a database from before events keeps its devices, and notes from then on what happens", async () => {
  await goBackBefore(db, "20261203030000_events");
  await db.pool.query(`INSERT INTO device (name, messages, last_seen) VALUES ('d', 3, now())`);
  await migrate(db.connectionString);
  expect((await db.pool.query(`SELECT name FROM device`)).rows).toEqual([{ name: "d" }]);
  await noteVersion(db.pool, "1.0.0");
  expect((await db.pool.query(`SELECT kind, data FROM event`)).rows).toEqual([
    { kind: "deployment", data: { version: "1.0.0", before: null } },
  ]);
});
