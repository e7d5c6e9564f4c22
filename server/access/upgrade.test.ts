import { afterAll, beforeAll, expect, test } from "vitest";
import { readSkipped } from "@/server/pipeline/unreadable-batches";
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
        `SELECT to_jsonb(k) - 'folder' - 'line' - 'made_by_account' - 'source_id' AS key FROM access_key k ORDER BY id`,
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

test("names of who made, asked for and skipped something become numbers, where they are one person's and no program's", async () => {
  await goBackBefore(db, "20261129090000_erasable_signatures");
  const names = ["Ada", "Twin", "grafana", "system", "Gone"];
  // Two people share a name, a program has one's, and one is no longer there.
  await db.pool.query(
    `INSERT INTO account (id, name) VALUES (7, 'Ada'), (8, 'Twin'), (9, 'Twin'), (10, 'grafana'), (11, 'system');
     INSERT INTO access_key (id, kind, name, secret_hash, made_by)
       SELECT 'aaaaaaaaaaa' || n, 'site', CASE n WHEN 1 THEN 'grafana' ELSE 'key ' || n END, sha256(by::bytea), by
       FROM unnest('{${names.join(",")}}'::text[]) WITH ORDINALITY AS _(by, n);
     INSERT INTO job_run (id, job, lane, trigger, state, requested_by)
       SELECT 'run-' || n, 'stage-retention', 'run-' || n, 'request', 'done', by
       FROM unnest('{${names.join(",")}}'::text[]) WITH ORDINALITY AS _(by, n);
     INSERT INTO job_run (id, job, lane, trigger, state) VALUES ('run-6', 'stage-retention', 'run-6', 'schedule', 'done');
     INSERT INTO unreadable_batch
         (cluster, topic, epoch, partition, next, from_offset, to_offset, records, reason, detail, skipped_at, skipped_by)
       SELECT 'c', 'iot.telemetry', 0, n, 5, 5, 9, 5, 'unknownCodec', 'It is compressed.', now(), by
       FROM unnest('{${names.join(",")}}'::text[]) WITH ORDINALITY AS _(by, n);
     INSERT INTO unreadable_batch (cluster, topic, epoch, partition, next, from_offset, to_offset, records, reason, detail)
       VALUES ('c', 'iot.telemetry', 0, 6, 5, 5, 9, 5, 'unknownCodec', 'It is compressed.')`,
  );
  const kept = () =>
    Promise.all(
      [
        `SELECT to_jsonb(k) - '{made_by,made_by_account,source_id}'::text[] AS row FROM access_key k ORDER BY id`,
        `SELECT to_jsonb(r) - '{requested_by,requested_by_account}'::text[] AS row FROM job_run r ORDER BY id`,
        `SELECT to_jsonb(b) - '{skipped_by,skipped_by_account}'::text[] AS row FROM unreadable_batch b ORDER BY partition`,
      ].map(async (sql) => (await db.pool.query(sql)).rows),
    );
  const before = await kept();
  await migrate(db.connectionString);
  expect(await kept()).toEqual(before);
  const signed = names.map((name) => (name === "Ada" ? { by: "user 7", account: 7 } : { by: name, account: null }));
  const nobody = { by: null, account: null };
  for (const [sql, expected] of [
    ["SELECT made_by AS by, made_by_account AS account FROM access_key ORDER BY id", signed],
    ["SELECT requested_by AS by, requested_by_account AS account FROM job_run ORDER BY id", [...signed, nobody]],
    [
      "SELECT skipped_by AS by, skipped_by_account AS account FROM unreadable_batch ORDER BY partition",
      [...signed, nobody],
    ],
  ] as const)
    expect([sql, (await db.pool.query(sql)).rows]).toEqual([sql, expected]);
  // Batches that were skipped before are shown by the name there is now, and by none after it.
  const skippers = async () => (await readSkipped(db.pool, 10)).map(({ skippedBy }) => skippedBy);
  expect(await skippers()).toEqual(names);
  await db.pool.query("DELETE FROM account WHERE id = 7");
  expect(await skippers()).toEqual(["user 7", ...names.slice(1)]);
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
  // Later versions add columns.
  expect(await kept()).toMatchObject(before);
  for (const table of ["account", "access_key", "role_grant", "session", "sign_in_link", "audit_row"])
    expect([table, (await db.pool.query(`SELECT 1 FROM ${table}`)).rowCount]).toEqual([table, 0]);
  const client = await db.pool.connect();
  expect(await ownerOf(client)).toBe("none");
  client.release();
});
