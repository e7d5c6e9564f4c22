import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { hasDoors } from "./wanted";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("sources of before stay; with one that comes by MQTT the role intake is wanted", async () => {
  await goBackBefore(db, "20261130600000_intake");
  await db.pool.query(
    `INSERT INTO source (name, kind, answer, door) VALUES ('barn', 'generic', 'webhook', '{"type":"mqtt","topics":[]}')`,
  );
  await migrate(db.connectionString);
  expect(await hasDoors(db.pool)).toBe(true);
  await db.pool.query(`UPDATE source SET enabled = false WHERE name = 'barn'`);
  expect(await hasDoors(db.pool)).toBe(false);
  expect((await db.pool.query(`SELECT name FROM source ORDER BY name`)).rows.map(({ name }) => name)).toEqual([
    "barn",
    "fieldwatch",
  ]);
});
