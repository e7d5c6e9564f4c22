import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("keys and dead letters of before stay as they are, of no source; the telemetry route has its own", async () => {
  await goBackBefore(db, "20261130400000_sources");
  await db.pool.query(
    `INSERT INTO access_key (id, kind, name, secret_hash, device, made_by) VALUES
       ('aaaaaaaaaaaa', 'site', 'programs here', sha256('a'), NULL, 'system'), ('bbbbbbbbbbbb', 'device', 'meter', sha256('b'), 'm', 'Ada');
     SELECT make_month('dead_letter', 2026, 1);
     INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, ingest_time, processed_time, raw)
     SELECT 'c/t/0/0/' || n || '/m', 'c/t/0', 0, n, 'notJson', 'why', 'd', day::date, now(), 'x'
     FROM (VALUES (1, '2026-01-02'), (2, '2019-01-01')) l (n, day)`,
  );
  const keys = async () =>
    (await db.pool.query(`SELECT to_jsonb(k) - 'source_id' AS k FROM access_key k ORDER BY 1`)).rows;
  const before = await keys();
  await migrate(db.connectionString);
  expect(await keys()).toEqual(before);
  const { rows } = await db.pool.query(
    `SELECT s.name, s.answer, s.enabled, s.mapping_version, m.version FROM source s JOIN source_mapping m ON m.source_id = s.id`,
  );
  expect(rows).toEqual([{ name: "fieldwatch", answer: "strict", enabled: true, mapping_version: 1, version: 1 }]);
  const letters = createPostgresDeadLetters(db.pool);
  expect((await letters.find({ sites: "all", limit: 9 })).map(({ id }) => id)).toEqual(["c/t/0/0/1/m", "c/t/0/0/2/m"]);
  // Months that there are, and those to come, have the new columns.
  await db.pool.query(`SELECT make_month('dead_letter', 2026, 2)`);
  await db.pool.query(`UPDATE dead_letter SET source = 'barn', delivery = '{"a":1}'`);
  await db.pool.query(`SELECT drop_dead_letter_month(2026, 1)`);
  expect((await db.pool.query(`SELECT id, source FROM dead_letter`)).rows).toEqual([
    { id: "c/t/0/0/2/m", source: "barn" },
  ]);
  await expect(
    db.pool.query(
      `INSERT INTO access_key (id, kind, name, secret_hash, made_by) VALUES ('cccccccccccc', 'source', 'no source', '', '')`,
    ),
  ).rejects.toThrow("access_key_source");
});
