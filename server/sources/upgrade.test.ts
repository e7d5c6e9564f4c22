import { afterAll, beforeAll, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { migrate } from "@/server/postgres/migrate";
import { type MappingInput, mappingSchema, OWN_MAPPING } from "@/server/domain/mapping/mapping";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { makeSource } from "@/server/testing/source-rig";
import { createSources } from "./open-sources";

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
  expect(rows[0]).toEqual({ name: "fieldwatch", answer: "strict", enabled: true, mapping_version: 2, version: 1 });
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

test("sources of the own shape take what the telemetry route takes, but for those that somebody mapped otherwise", async () => {
  const db = await freshDatabase();
  try {
    await goBackBefore(db, "20261130710000_own_shape");
    const before: MappingInput = {
      ...{ decode: "json", each: { path: "", of: "array", optional: true }, device: ["{device}"] },
      ...{ time: [{ from: { path: "time" }, format: "any" }], withoutTime: "refuse" },
      ...{ readings: [{ root: "readings", depth: 0 }], values: { numericStrings: false } },
      labels: { site: "{site}", type: "{type}" },
    };
    const http = { type: "http" } as const;
    await makeSource(db.pool, "plain", http, { kind: "fieldwatch", mapping: before });
    await makeSource(db.pool, "changed", http, { kind: "fieldwatch", mapping: { ...before, withoutTime: "arrival" } });
    // As the version before kept it: what later ones add stands in no row of then.
    await db.pool.query(
      `UPDATE source_mapping SET mapping = $1 WHERE source_id = (SELECT id FROM source WHERE name = 'plain')`,
      [
        JSON.stringify({
          ...{
            decode: "json",
            when: [],
            each: before.each,
            device: before.device,
            time: before.time,
            withoutTime: "refuse",
          },
          ...{ readings: [{ root: "readings", depth: 0, separator: ".", arrays: "index", exclude: [] }], rename: [] },
          ...{ values: { numericStrings: false, decimalComma: false, booleans: [], enums: [] }, absent: [], units: [] },
          labels: before.labels,
        }),
      ],
    );
    await migrate(db.connectionString);
    const open = await createSources(db.pool).all();
    const decoders = open.map(({ name, mapping, mappingVersion }) => [name, mapping.decode, mappingVersion]);
    expect(decoders.sort()).toEqual([
      ["changed", "json", 1],
      ["fieldwatch", "fieldwatch", 2],
      ["plain", "fieldwatch", 2],
    ]);
    expect(mappingSchema.parse(OWN_MAPPING)).toEqual(open.find(({ name }) => name === "plain")!.mapping);
  } finally {
    await db.drop();
  }
});
