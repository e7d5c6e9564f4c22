import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { listDeeds } from "./deeds";
import { sealRecord } from "./seal";
import { verifyRecord } from "./verify";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("rows from before the seals are kept as they were, and sealed", async () => {
  await goBackBefore(db, "20261128234000_audit_seals");
  await db.pool.query(
    `INSERT INTO audit_row (time, actor_kind, actor_id, actor, verb, target, outcome, address, detail) VALUES
       (now() - interval '3 days', 'user', '1', 'Ada', 'addUser', '2', 'done', '10.0.0.7', '{"after":{"name":"Bob"}}'),
       (now() - interval '2 days', 'nobody', NULL, 'nobody', 'signIn', 'bob@example.com', 'denied', NULL, NULL)`,
  );
  const kept = async () =>
    (await db.pool.query(`SELECT to_jsonb(r) - '{attempt,personal}'::text[] AS row FROM audit_row r ORDER BY id`)).rows;
  const before = await kept();
  await migrate(db.connectionString);
  expect(await kept()).toEqual(before);

  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-audit-"));
  const files = { keyFile: path.join(folder, "key"), makesKey: true, anchorFile: path.join(folder, "anchors") };
  await sealRecord(jobContext(db.pool), files, pino({ level: "silent" }));
  rmSync(folder, { recursive: true });
  expect(await withTransaction(db.pool, (tx) => verifyRecord(tx, { keys: null, anchors: [] }))).toMatchObject({
    ...{ fault: null, rows: 2, waiting: 0 },
  });
  const nothing = { actor: null, verb: null, target: null, outcome: null, from: null, to: null, before: null };
  expect(await listDeeds(db.pool, { ...nothing, limit: 9 })).toMatchObject([
    { actor: "nobody", target: "bob@example.com", sealed: true },
    { actor: "Ada", detail: { after: { name: "Bob" } }, sealed: true },
  ]);
});
