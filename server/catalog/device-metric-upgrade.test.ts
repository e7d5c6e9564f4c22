import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { createPrismaClient } from "@/server/postgres/prisma";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { findMetrics } from "./metrics";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("which device has which metric is found in what the version before stored", async () => {
  await goBackBefore(db, "20261128210000_sites");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('A'), ('B');
     INSERT INTO metric (name, kind) VALUES ('one', 'number'), ('two', 'number'), ('into', 'number'), ('unused', 'number');
     INSERT INTO device (name, site_id) VALUES ('a', 1), ('b', 2), ('nowhere', NULL);
     INSERT INTO catalog_removal (kind, key, name, into_key) VALUES ('metric', 99, 'merging', 3), ('metric', 98, 'deleting', NULL);
     INSERT INTO rollup_hour (device_id, bucket, metrics, counts, sums, mins, maxs, firsts, first_at, lasts, last_at)
     SELECT d, h, m, m, m, m, m, m, m, m, m FROM (VALUES
       (1, timestamptz '2026-01-01 10:00Z', ARRAY[1]), (1, '2026-01-01 11:00Z', ARRAY[1, 99]), (2, '2026-01-01 10:00Z', ARRAY[1, 2, 98]),
       (3, '2026-01-01 10:00Z', ARRAY[2]), (77, '2026-01-01 10:00Z', ARRAY[1])) AS r (d, h, m)`,
  );
  await migrate(db.connectionString);
  const prisma = createPrismaClient(db.pool);
  const names = async (sites: "all" | number[]) => (await findMetrics(prisma, sites)).map(({ name }) => name);
  expect(await names([1])).toEqual(["into", "one"]);
  expect(await names([2])).toEqual(["one", "two"]);
  expect(await names("all")).toEqual(["into", "one", "two", "unused"]);
});
