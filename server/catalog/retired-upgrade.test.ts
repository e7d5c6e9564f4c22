import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { createPrismaClient } from "@/server/postgres/prisma";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { findDevice } from "./devices";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("devices of the version before stay, and none of them is retired", async () => {
  await goBackBefore(db, "20261203050000_retired_devices");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('Gebäude 7'); INSERT INTO device (name, site_id, messages, last_seen) VALUES ('d', 1, 3, now())`,
  );
  await migrate(db.connectionString);
  const prisma = createPrismaClient(db.pool);
  expect(await findDevice(prisma, "d", "all")).toMatchObject({
    ...{ site: "Gebäude 7", messages: 3, retiredAt: null, returnedAt: null },
  });
  await prisma.$disconnect();
});
