import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { listErasures, nextErasure, readErasedNames } from "./erasures";
import { findRemovals, removeDevice } from "./removals";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("a device of the version before can be erased, after what is being removed already", async () => {
  await goBackBefore(db, "20261210000000_erasures");
  await db.pool.query(
    `INSERT INTO device (name, messages) VALUES ('pump-1', 3), ('pump-2', 4);
     INSERT INTO catalog_removal (kind, key, name, step) VALUES ('device', 77, 'old', 'readings')`,
  );
  await migrate(db.connectionString);
  expect(await readErasedNames(db.pool)).toBeNull();
  const removed = await withTransaction(db.pool, (tx) => removeDevice(tx, "pump-1", "all", async () => 0, true));
  expect(removed).toEqual({ erasure: 1 });
  expect((await findRemovals(db.pool)).map(({ name }) => name)).toEqual(["old", "pump-1"]);
  const erased = await readErasedNames(db.pool);
  expect(["pump-1", "pump-2", "old"].map((name) => erased!(name))).toEqual([1, null, null]);
  // Its turn comes once its readings are gone.
  expect(await nextErasure(db.pool, 0)).toBeNull();
  await db.pool.query("DELETE FROM catalog_removal");
  expect(await nextErasure(db.pool, 0)).toMatchObject({ id: 1, name: "pump-1", place: 0 });
  expect(await listErasures(db.pool, { name: "pump-2" }, 10)).toEqual([]);
});
