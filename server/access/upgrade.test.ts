import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { ownerOf } from "./links";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("keys of before go on as they were, and none is bound to a site or a folder", async () => {
  await goBackBefore(db, "20261128220000_key_limits");
  await db.pool.query(
    `INSERT INTO access_key (id, kind, name, secret_hash, device, networks, made_by) VALUES
       ('aaaaaaaaaaaa', 'site', 'programs here', sha256('a'), NULL, '{}', 'system'),
       ('bbbbbbbbbbbb', 'device', 'meter', sha256('b'), 'meter-1', '{10.0.0.0/8}', 'Ada')`,
  );
  const kept = async () =>
    (
      await db.pool.query(
        `SELECT to_jsonb(k) - 'folder' - 'line' - 'made_by_account' AS key FROM access_key k ORDER BY id`,
      )
    ).rows;
  const before = await kept();
  await migrate(db.connectionString);
  expect(await kept()).toEqual(before);
  const { rows } = await db.pool.query(`SELECT folder, site_id FROM access_key`);
  expect(rows).toEqual([
    { folder: null, site_id: null },
    { folder: null, site_id: null },
  ]);
});

test("keys that were rotated before are known to take each other's place", async () => {
  await goBackBefore(db, "20261128235900_key_lines");
  await db.pool.query(
    `INSERT INTO access_key (id, kind, name, secret_hash, made_by)
       SELECT left(k, 12), 'site', k, sha256(k::bytea), 'Ada' FROM unnest('{aaaaaaaaaaaa,bbbbbbbbbbbb,cccccccccccc,dddddddddddd}'::text[]) k;
     INSERT INTO audit_row (actor_kind, actor, verb, target, outcome, detail) VALUES
       ('user', 'Ada', 'rotateAccessKey', 'bbbbbbbbbbbb', 'done', '{"of": "aaaaaaaaaaaa"}'),
       ('user', 'Ada', 'rotateAccessKey', 'cccccccccccc', 'done', '{"of": "bbbbbbbbbbbb"}')`,
  );
  await migrate(db.connectionString);
  const { rows } = await db.pool.query<{ line: string | null }>(`SELECT line FROM access_key ORDER BY id`);
  expect(rows.map(({ line }) => line)).toEqual([null, "aaaaaaaaaaaa", "aaaaaaaaaaaa", null]);
});

test("a database from before accounts keeps what it has, and lets nobody in before the first link is taken", async () => {
  await goBackBefore(db, "20261128200000_access");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('north');
     INSERT INTO device (name, site_id, messages, last_seen, last_event_time) VALUES ('meter-1', 1, 2, now(), now());
     INSERT INTO metric (name, kind) VALUES ('temperature', 'number')`,
  );
  const kept = async () =>
    (
      await db.pool.query(
        `SELECT (SELECT jsonb_agg(s) FROM site s) AS sites, (SELECT jsonb_agg(d) FROM device d) AS devices, (SELECT jsonb_agg(m) FROM metric m) AS metrics`,
      )
    ).rows;
  const before = await kept();
  await migrate(db.connectionString);
  expect(await kept()).toEqual(before);
  for (const table of ["account", "access_key", "role_grant", "session", "sign_in_link", "audit_row"])
    expect([table, (await db.pool.query(`SELECT 1 FROM ${table}`)).rowCount]).toEqual([table, 0]);
  const client = await db.pool.connect();
  expect(await ownerOf(client)).toBe("none");
  client.release();
});
