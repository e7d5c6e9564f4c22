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

test("sources of Kafka of before begin to note where their records are from", async () => {
  await goBackBefore(db, "20261130720000_log_of_others");
  await db.pool.query(`INSERT INTO source (name, kind, answer) VALUES ('plant', 'generic', 'webhook')`);
  await migrate(db.connectionString);
  const { rows } = await db.pool.query(
    `INSERT INTO taken_from (cluster, partition, source_id, lane, run, "offset", place)
     SELECT 'c', 0, id, 'plant/0', 'r', 7, 0 FROM source WHERE name = 'plant' RETURNING repeats::int AS repeats`,
  );
  expect(rows).toEqual([{ repeats: 0 }]);
});
