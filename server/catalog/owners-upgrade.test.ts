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

test("metrics of the version before have no owner of their own, and keep what was said of them", async () => {
  await goBackBefore(db, "20261212000000_metric_owner");
  await db.pool.query(
    `INSERT INTO metric (name, kind, unit, description, meaning) VALUES ('level', 'number', 'mm', 'Of the tank', 'set')`,
  );
  await migrate(db.connectionString);
  const prisma = createPrismaClient(db.pool);
  expect(await findMetrics(prisma, "all")).toMatchObject([
    { name: "level", unit: "mm", meaning: "set", shown: { description: "Of the tank", owner: null } },
  ]);
  await prisma.$disconnect();
});
