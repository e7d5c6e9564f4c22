import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { readActiveRules } from "./active-rules";
import { readRules, readVersions, removeRule } from "./rules";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const T = Date.UTC(2026, 0, 15, 10);

test("a database from before alerts keeps its devices, readings and positions, and goes on", async () => {
  await goBackBefore(db, "20261201000000_alerts");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('north');
     INSERT INTO device (name, site_id, messages, last_seen, last_event_time) VALUES ('d', 1, 3, '2026-01-15T09:00:00Z', '2026-01-15T09:00:00Z');
     INSERT INTO metric (name, kind) VALUES ('a', 'number');
     INSERT INTO sample_other (device_id, time, metrics, values) VALUES (1, '2026-01-15T09:00:00Z', '{1}', '{7}');
     INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages, readings) VALUES ('up', 'iot.telemetry', 0, 0, 1, 3, 1)`,
  );
  await migrate(db.connectionString);
  const { rows } = await db.pool.query(
    `SELECT d.name, d.judged::float8, d.gaps, p.ingest_watermark FROM device d, pipeline_position p`,
  );
  expect(rows).toEqual([{ name: "d", judged: 0, gaps: 0, ingest_watermark: null }]);

  const log = createScriptedLog("up", 1);
  log.append(0, { device: "d", time: T, readings: { a: 6 } });
  log.append(0, { device: "d", time: T, readings: { a: 8 } });
  await (await createRig(db.pool, log)).drain();
  expect((await db.pool.query(`SELECT value FROM reading ORDER BY time`)).rows).toEqual([{ value: 7 }, { value: 8 }]);
});

test("a device whose site, type or label changes is selected anew, and one whose messages are counted is not", async () => {
  const judged = async () => (await db.pool.query<{ n: number }>(`SELECT judged::float8 AS n FROM device`)).rows[0]!.n;
  const before = await judged();
  await db.pool.query(`UPDATE device SET messages = messages + 1, site_id = site_id`);
  expect(await judged()).toBe(before);
  await db.pool.query(`UPDATE device SET type = 'press'`);
  expect(await judged()).toBe(before + 1);
  await db.pool.query(
    `INSERT INTO device_label (device_id, key, value, by_person) SELECT id, 'hall', '3', true FROM device`,
  );
  expect(await judged()).toBe(before + 2);
  await db.pool.query(`UPDATE device_label SET value = '4'`);
  expect(await judged()).toBe(before + 3);
  await db.pool.query(`DELETE FROM device`);
  expect((await db.pool.query(`SELECT FROM device_label`)).rowCount).toBe(0);
});

test("a database from before storms keeps its alerts, and tells of those beneath another as before", async () => {
  await goBackBefore(db, "20261202000000_storms");
  await db.pool.query(
    `INSERT INTO alert (rule_id, rule_version, device_name, severity, state, started_at, fired_at) VALUES (1, 1, 'd', 'warning', 'firing', now(), now())`,
  );
  await migrate(db.connectionString);
  expect((await db.pool.query(`SELECT device_name, parent_id FROM alert WHERE ended_at IS NULL`)).rows).toEqual([
    { device_name: "d", parent_id: null },
  ]);
});

test("a database from before alerts were told as they change keeps its alerts, and says so from then on", async () => {
  await goBackBefore(db, "20261202070000_live_alerts");
  await db.pool.query(
    `INSERT INTO site (name) VALUES ('north'), ('south');
     INSERT INTO alert (rule_id, rule_version, site_id, severity, state, started_at, fired_at)
       SELECT 1, 1, site, 'warning', 'firing', now(), now() FROM unnest('{1,2,1,NULL}'::integer[]) site;
     INSERT INTO alert_event (alert_id, kind, severity, at) SELECT id, 'fired', 'warning', now() FROM alert;
     INSERT INTO channel (name, kind, settings) VALUES ('desk', 'webhook', '{}')`,
  );
  await migrate(db.connectionString);
  expect((await db.pool.query(`SELECT FROM alert_event`)).rowCount).toBe(4);
  const client = await db.pool.connect();
  try {
    const said: string[] = [];
    client.on("notification", ({ payload }) => said.push(payload!));
    await client.query(`LISTEN fieldwatch_alerts`);
    await client.query(
      `INSERT INTO alert_event (alert_id, kind, severity, at) SELECT id, 'resolved', 'warning', now() FROM alert`,
    );
    await client.query(`SELECT`);
    expect(said.toSorted(), "each site once").toEqual(["0", "1", "2"]);
    await client.query(`UPDATE channel SET updated_at = now()`);
    await client.query(`UPDATE channel SET last_ok_at = now()`);
    await client.query(`SELECT`);
    expect(said.slice(3)).toEqual(["0"]);
  } finally {
    client.removeAllListeners("notification");
    await client.query(`UNLISTEN *`);
    client.release();
  }
});

test("a rule that names an erased device can be read again, and one that nobody can read stops nothing and can be removed", async () => {
  await goBackBefore(db, "20261213010000_erased_names");
  const named = (device: string) => JSON.stringify({ kind: "silence", of: { devices: [device] }, afterMs: null });
  await db.pool.query(
    `INSERT INTO alert_rule (id, name, spec, created_by, updated_by) OVERRIDING SYSTEM VALUE VALUES (1, 'silent', $1, 'test', 'test'), (2, 'broken', '{"kind": "none"}', 'test', 'test')`,
    [named("(erased 7)")],
  );
  await db.pool.query(
    `INSERT INTO alert_rule_version (rule_id, version, name, spec, enabled, by) VALUES (1, 1, 'silent', $1, true, 'test')`,
    [named("(erased 7)")],
  );
  await db.pool.query(
    `INSERT INTO silence (matchers, reason, starts_at, ends_at, made_by) VALUES ('[{"field": "device", "is": "is", "values": ["(erased 7)"]}]', 'repair', now(), now() + interval '1 hour', 'test')`,
  );
  await migrate(db.connectionString);
  const unreadable: string[] = [];
  const active = await readActiveRules(db.pool, (names) => unreadable.push(...names));
  expect(active).toMatchObject([{ id: 1, spec: { of: { devices: ["erased-7"] } } }]);
  expect(unreadable).toEqual(["broken"]);
  expect((await readRules(db.pool, "all")).map(({ name }) => name)).toEqual(["silent"]);
  expect(await readVersions(db.pool, 1)).toMatchObject([{ spec: { of: { devices: ["erased-7"] } } }]);
  expect((await db.pool.query(`SELECT matchers->0->'values' AS named FROM silence`)).rows).toEqual([
    { named: ["erased-7"] },
  ]);

  const log = createScriptedLog("on", 1);
  log.append(0, { device: "d", time: T, readings: { a: 6 } });
  await (await createRig(db.pool, log)).drain();
  expect((await db.pool.query(`SELECT value FROM reading`)).rows).toEqual([{ value: 6 }]);
  expect(await withTransaction(db.pool, (tx) => removeRule(tx, 2))).toBe("broken");
  expect(await withTransaction(db.pool, (tx) => removeRule(tx, 2))).toBeNull();
});
