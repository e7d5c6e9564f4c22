import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { createLogKey } from "./log-key";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db?.drop());

test("a new database has a key, and nothing unsigned to believe; all its processes have the same", async () => {
  const { key, unsignedBefore } = await createLogKey(db.pool)();
  expect([key.length, unsignedBefore]).toEqual([32, null]);
  expect((await createLogKey(db.pool)()).key.equals(key)).toBe(true);
});

test("a database of the version before believes what its log took until shortly after the upgrade", async () => {
  await goBackBefore(db, "20261128235001_log_key");
  await db.pool.query(
    `INSERT INTO pipeline_position (cluster, topic, epoch, partition, next)
     VALUES ('c', 't', 0, 0, 1)`,
  );
  const before = Date.now();
  await migrate(db.connectionString);
  const { unsignedBefore } = await createLogKey(db.pool)();
  expect(unsignedBefore).toBeGreaterThan(before);
  expect(unsignedBefore).toBeLessThan(before + 15 * 60_000);
});
