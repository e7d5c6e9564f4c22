import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { createPrismaClient, prismaIn } from "./prisma";
import { withTransaction } from "./transaction";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const names = async () =>
  (await createPrismaClient(db.pool).site.findMany({ orderBy: { name: "asc" } })).map(({ name }) => name);

test("what Prisma writes in a transaction is seen there beside SQL, and commits with it", async () => {
  await withTransaction(db.pool, async (tx) => {
    const prisma = prismaIn(tx);
    await prisma.site.create({ data: { name: "north" } });
    await tx.query("INSERT INTO site (name) VALUES ('south')");
    expect(await prisma.site.count()).toBe(2);
    expect(await names()).toEqual([]);
  });
  expect(await names()).toEqual(["north", "south"]);
});

test("what fails takes back what Prisma wrote", async () => {
  const failed = withTransaction(db.pool, async (tx) => {
    await prismaIn(tx).site.create({ data: { name: "east" } });
    throw new Error("no");
  });
  await expect(failed).rejects.toThrow("no");
  expect(await names()).not.toContain("east");
});

test("a transaction of Prisma's own is a savepoint of the outer one", async () => {
  await withTransaction(db.pool, async (tx) => {
    const prisma = prismaIn(tx);
    await prisma.device.create({ data: { name: "press", site: { create: { name: "west" } } } });
    const broken = prisma.$transaction([
      prisma.site.create({ data: { name: "lost" } }),
      prisma.site.create({ data: { name: "west" } }),
    ]);
    await expect(broken).rejects.toMatchObject({ code: "P2002" });
    await prisma.site.create({ data: { name: "kept" } });
  });
  expect(await names()).toEqual(expect.arrayContaining(["west", "kept"]));
  expect(await names()).not.toContain("lost");
});
