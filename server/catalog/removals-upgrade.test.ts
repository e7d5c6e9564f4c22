import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { readCatalogAge } from "./epoch";
import { removeMetric } from "./removals";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("what the version before knew stays, and can be removed", async () => {
  await goBackBefore(db, "20261128190000_catalog_removals");
  await db.pool.query(
    `INSERT INTO metric (name, kind) VALUES ('old', 'number'), ('kept', 'number');
     INSERT INTO device (name, conflicts, conflict_metric_id, conflict_time, conflict_kept, conflict_refused)
       VALUES ('d', 3, 1, now(), 1, 2);
     INSERT INTO device_unit VALUES (1, 1, 'V'), (1, 2, 'A')`,
  );
  await migrate(db.connectionString);
  expect((await readCatalogAge(db.pool)).epoch).toBe(0);
  expect(await withTransaction(db.pool, (tx) => removeMetric(tx, "old"))).toBe("removed");
  expect((await readCatalogAge(db.pool)).epoch).toBe(1);
  const { rows } = await db.pool.query(
    `SELECT conflicts::int, conflict_metric_id, (SELECT array_agg(name) FROM metric) AS metrics,
       (SELECT array_agg(unit) FROM device_unit) AS units FROM device`,
  );
  expect(rows).toEqual([{ conflicts: 3, conflict_metric_id: null, metrics: ["kept"], units: ["A"] }]);
});
