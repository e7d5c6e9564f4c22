import { afterAll, beforeAll, expect, test } from "vitest";
import { markHeaders } from "@/server/domain/resend-mark";
import { migrate } from "@/server/postgres/migrate";
import { createPrismaClient } from "@/server/postgres/prisma";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { findDevice } from "./devices";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const T = Date.UTC(2026, 0, 15, 10);

test("a database from before conflicts and units keeps what it has; drift between number and boolean can be mended", async () => {
  await goBackBefore(db, "20261128160000_conflicts_and_units");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('north');
     INSERT INTO device (name, site_id, messages, last_seen, last_event_time) VALUES ('meter-1', 1, 2, now(), '2026-01-15T10:00:00Z');
     INSERT INTO metric (name, kind, unit, min, max)
       VALUES ('temperature', 'number', '°C', -100, 1500), ('battery', 'boolean', NULL, NULL, NULL), ('x', 'number', NULL, NULL, NULL);
     INSERT INTO sample_other (device_id, time, metrics, values) VALUES (1, '2026-01-15T10:00:00Z', '{1}', '{21.5}');
     INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages, readings, duplicates, dead_letters)
       VALUES ('old', 'iot.telemetry', 0, 0, 3, 3, 1, 1, 1);
     INSERT INTO pipeline_rate (bucket, cluster, topic, partition, messages, readings, duplicates, dead_letters, latencies)
       VALUES ('2026-01-15T10:00:00Z', 'old', 'iot.telemetry', 0, 3, 1, 1, 1, array_fill(0, ARRAY[32]))`,
  );
  const raw = Buffer.from(JSON.stringify({ device: "meter-1", time: T, readings: { battery: 87 } }));
  const log = createScriptedLog("old", 1);
  log.parts[0]!.start = 3;
  await db.pool.query(
    `INSERT INTO dead_letter (id, log, partition, "offset", reason, detail, device, field, ingest_time, processed_time, raw)
     VALUES ('old/iot.telemetry/0/0/2/0', 'old/iot.telemetry/0', 0, 2, 'typeDrift', 'battery is a number', 'meter-1', 'battery', $1, $1, $2)`,
    [new Date(T), raw],
  );

  await migrate(db.connectionString);
  const { rows } = await db.pool.query(`SELECT name, kind, unit, min, max, meaning FROM metric ORDER BY name`);
  const nothing = { unit: null, min: null, max: null, meaning: "none" };
  expect(rows).toEqual([
    { ...nothing, name: "battery", kind: "boolean" },
    { ...nothing, name: "temperature", kind: "number", unit: "°C", min: -100, max: 1500, meaning: "guessed" },
    { ...nothing, name: "x", kind: "number" },
  ]);

  const rig = await createRig(db.pool, log);
  const [letter] = await rig.deadLetters.find({ sites: "all", limit: 10 });
  await rig.deadLetters.change([
    {
      ...{ id: letter!.id, from: ["open"], to: "resending", resends: 0, sends: true },
      event: { time: T, kind: "sent", detail: "Sent again", edited: false },
    },
  ]);
  log.append(0, Buffer.from(letter!.raw), T, markHeaders({ letter: letter!.id, attempt: 1, edited: false }));
  // A value that contradicts one stored before the upgrade.
  log.append(0, { device: "meter-1", time: T, readings: { temperature: 22 } });
  await rig.drain();
  const found = await db.pool.query(`SELECT metric, unit, value, site FROM reading ORDER BY metric`);
  expect(found.rows).toEqual([
    { metric: "battery", unit: null, value: 87, site: "north" },
    { metric: "temperature", unit: "°C", value: 21.5, site: "north" },
  ]);
  expect((await db.pool.query(`SELECT kind FROM metric WHERE name = 'battery'`)).rows).toEqual([{ kind: "number" }]);
  expect((await rig.deadLetters.find({ sites: "all", limit: 10 })).map(({ status }) => status)).toEqual(["resent"]);
  const totals = await db.pool.query(
    `SELECT messages::int, readings::int, duplicates::int, conflicts::int, dead_letters::int FROM pipeline_position`,
  );
  expect(totals.rows).toEqual([{ messages: 5, readings: 2, duplicates: 1, conflicts: 1, dead_letters: 1 }]);
  expect((await db.pool.query(`SELECT messages::int, conflicts::int FROM device`)).rows).toEqual([
    { messages: 4, conflicts: 1 },
  ]);
});

test("a database from before rounded series keeps what it has, and marks the series from then on", async () => {
  await goBackBefore(db, "20261128170100_rounded_series");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('north');
     INSERT INTO device (name, site_id, messages) VALUES ('meter-1', 1, 1);
     INSERT INTO metric (name, kind) VALUES ('total', 'number'), ('power', 'number');
     INSERT INTO sample_other (device_id, time, metrics, values) VALUES (1, '2026-01-15T09:00:00Z', '{1,2}', '{9007199254740992,1.5}')`,
  );
  await migrate(db.connectionString);
  const prisma = createPrismaClient(db.pool);
  const before = await findDevice(prisma, "meter-1", "all");
  expect(before).toMatchObject({ site: "north", messages: 1, rounded: new Map() });

  const log = createScriptedLog("rounding", 1);
  log.append(0, `{"device":"meter-1","time":${T},"readings":{"total":9007199254740993,"power":1.5}}`);
  await (await createRig(db.pool, log)).drain();
  const after = await findDevice(prisma, "meter-1", "all");
  expect(after).toMatchObject({ site: "north", messages: 2, rounded: new Map([["total", T]]) });
  const { rows } = await db.pool.query(`SELECT metric, value FROM reading ORDER BY time, metric DESC`);
  expect(rows.map(({ metric, value }) => [metric, value])).toEqual([
    ["total", 9007199254740992],
    ["power", 1.5],
    ["total", 9007199254740992],
    ["power", 1.5],
  ]);
});

test("devices of before said no goodbye, and births of before are of no session", async () => {
  const db = await freshDatabase();
  try {
    await goBackBefore(db, "20261130760000_gone");
    await db.pool.query(
      `INSERT INTO device (name, messages, last_seen, last_event_time) VALUES ('pump', 2, '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z');
       INSERT INTO source (name, kind, answer, door) VALUES ('line', 'sparkplug-b', 'webhook', '{"type":"mqtt","topics":[]}');
       INSERT INTO sparkplug_birth (source_id, node, birth) SELECT id, 'Plant/Edge', '[]' FROM source WHERE name = 'line'`,
    );
    await migrate(db.connectionString);
    const { rows } = await db.pool.query(
      `SELECT messages::int, last_seen = last_event_time AS same, gone_at, birth, bd_seq FROM device, sparkplug_birth`,
    );
    expect(rows).toEqual([{ messages: 2, same: true, gone_at: null, birth: [], bd_seq: null }]);
  } finally {
    await db.drop();
  }
});
