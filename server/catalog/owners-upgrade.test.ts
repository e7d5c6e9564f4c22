import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { createPrismaClient } from "@/server/postgres/prisma";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { listErasures } from "./erasures";
import { findMetrics } from "./metrics";
import { findPersonalDevices } from "./persons";
import { readSites } from "./sites";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("metrics, sites and erasures of the version before stay as they are: no owner, no person, each erasure by itself", async () => {
  await goBackBefore(db, "20261212000000_metric_owner");
  await db.pool.query(
    `INSERT INTO metric (name, kind, unit, description, meaning) VALUES ('level', 'number', 'mm', 'Of the tank', 'set');
     INSERT INTO site (name) VALUES ('Home 4');
     INSERT INTO device (name, messages, site_id) SELECT d.name, 3, s.id FROM site s, (VALUES ('a'), ('b')) AS d (name);
     INSERT INTO device_label (device_id, key, value, by_person) SELECT id, 'owner', 'Ada', true FROM device WHERE name = 'a';
     INSERT INTO erasure (key, name_hash, finished_at) VALUES (99, '\\x00', now())`,
  );
  await migrate(db.connectionString);
  const prisma = createPrismaClient(db.pool);
  expect(await findMetrics(prisma, "all")).toMatchObject([
    { name: "level", unit: "mm", meaning: "set", shown: { description: "Of the tank", owner: null } },
  ]);
  await prisma.$disconnect();
  expect(await readSites(db.pool, "all")).toMatchObject([{ name: "Home 4", person: null, devices: 2 }]);
  expect(await findPersonalDevices(db.pool, "Ada", "all")).toMatchObject([{ name: "a", messages: 3, by: "label" }]);
  expect(await listErasures(db.pool, {}, 10)).toMatchObject([{ id: 1, key: 99, request: null }]);
});
