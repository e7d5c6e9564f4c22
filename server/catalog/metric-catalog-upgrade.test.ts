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

test("metrics of the version before stay as they are, with nothing said of how they are shown", async () => {
  await goBackBefore(db, "20261204020000_metric_catalog");
  await db.pool.query(
    `INSERT INTO metric (name, kind, unit, min, meaning) VALUES ('level', 'number', 'mm', -1, 'set')`,
  );
  await migrate(db.connectionString);
  const prisma = createPrismaClient(db.pool);
  const nobody = { description: null, decimals: null, color: null };
  const none = { warningBelow: null, warningAbove: null, criticalBelow: null, criticalAbove: null };
  expect(await findMetrics(prisma, "all")).toMatchObject([
    { name: "level", unit: "mm", min: -1, max: null, meaning: "set", shown: { ...nobody, ...none }, aliases: [] },
  ]);
  await prisma.$disconnect();
});
