import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { withTransaction } from "@/server/postgres/transaction";
import { insertView, listViews } from "./views";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("a database from before views keeps its people, who keep views from then on, and take them along when they go", async () => {
  await goBackBefore(db, "20261204010000_saved_views");
  await db.pool.query(`INSERT INTO account (id, name) VALUES (7, 'Ada'), (8, 'Bob')`);
  await migrate(db.connectionString);
  const said = { page: "devices", name: "Low", query: "where=battery+%3C+20", onOverview: false, onWall: true };
  const add = (accountId: number | null) => withTransaction(db.pool, (tx) => insertView(tx, { ...said, accountId }, 7));
  expect(await add(7)).toEqual(expect.any(Number));
  expect(await add(null)).toEqual(expect.any(Number));
  expect(await add(null)).toBeNull();
  expect(await listViews(db.pool, 7)).toMatchObject([
    { ...said, accountId: 7, by: "Ada" },
    { ...said, accountId: null, by: "Ada" },
  ]);
  expect(await listViews(db.pool, 8)).toMatchObject([{ accountId: null }]);
  await db.pool.query(`DELETE FROM account WHERE id = 7`);
  expect((await db.pool.query(`SELECT account_id, made_by, name FROM saved_view`)).rows).toEqual([
    { account_id: null, made_by: null, name: "Low" },
  ]);
});
