import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { findSessions } from "./sessions";
import { hashOf, newSecret } from "./secrets";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("accounts, roles and sessions from before the identity provider stay as they are, and nobody is from there", async () => {
  await goBackBefore(db, "20261128230000_identity_provider");
  const secret = newSecret();
  await db.pool.query(`INSERT INTO account (name, email, password) VALUES ('Ada', 'ada@example.com', 'x')`);
  await db.pool.query(`INSERT INTO role_grant (account_id, role) VALUES (1, 'admin')`);
  await db.pool.query(
    `INSERT INTO session (id, secret_hash, account_id, ends_at) VALUES (gen_random_uuid(), $1, 1, now() + interval '1 day')`,
    [hashOf(secret)],
  );
  const kept = async () =>
    (
      await db.pool.query(
        `SELECT (SELECT jsonb_agg(a) FROM account a) AS people, (SELECT jsonb_agg(g) FROM role_grant g) AS grants`,
      )
    ).rows;
  const before = await kept();
  await migrate(db.connectionString);
  expect(await kept()).toEqual(before);
  const [session] = await findSessions(db.pool, [secret]);
  expect(session?.caller).toMatchObject({ name: "Ada", grants: [{ role: "admin", siteId: null }] });
  for (const table of ["provider_identity", "spent_token"])
    expect((await db.pool.query(`SELECT 1 FROM ${table}`)).rowCount).toBe(0);
});
