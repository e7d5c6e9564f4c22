import { afterAll, beforeAll, expect, test } from "vitest";
import { newDevice } from "@/server/domain/quality/device-checks";
import { newSeries } from "@/server/domain/quality/series-checks";
import { migrate } from "@/server/postgres/migrate";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { readStates, writeStates } from "./states";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const T = Date.UTC(2026, 0, 15, 10);

test("a database from before quality keeps what it holds, and its last hour of readings is what the checks know", async () => {
  await goBackBefore(db, "20261201200000_quality");
  await db.pool.query(
    `INSERT INTO device (name, messages, last_seen, last_event_time) VALUES ('d', 200, '2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z');
     INSERT INTO metric (name, kind) VALUES ('a', 'number');
     INSERT INTO sample_other (device_id, time, metrics, values)
     SELECT 1, timestamptz '2026-01-15T10:00:00Z' - n * interval '10 s', '{1}', ARRAY[20 + sin(n * 1.7)] FROM generate_series(0, 199) n;
     INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages, readings) VALUES ('up', 'iot.telemetry', 0, 0, 0, 200, 200)`,
  );
  await migrate(db.connectionString);
  const log = createScriptedLog("up", 1);
  for (const [second, value] of [
    [10, 90],
    [20, 20],
  ] as const)
    log.append(0, { device: "d", time: T + second * 1000, readings: { a: value } }, T + second * 1000);
  await (await createRig(db.pool, log)).drain();
  expect((await db.pool.query(`SELECT count(*)::int AS n FROM reading`)).rows).toEqual([{ n: 202 }]);
  expect((await db.pool.query(`SELECT "check", level, count FROM quality_flag`)).rows).toEqual([
    { check: "spike", level: "fail", count: 1 },
  ]);
});

test("another valid range, and a limit, begin another epoch of what is judged by; another unit of a metric doesn't", async () => {
  const epoch = async () =>
    (await db.pool.query<{ n: number }>(`SELECT epoch::float8 AS n FROM alert_epoch`)).rows[0]!.n;
  const before = await epoch();
  await db.pool.query(`UPDATE metric SET unit = '°C', min = NULL`);
  expect(await epoch()).toBe(before);
  await db.pool.query(`UPDATE metric SET min = 0`);
  expect(await epoch()).toBe(before + 1);
  await db.pool.query(`INSERT INTO quality_limit (metric_id, limits, updated_by) VALUES (1, '{}', 'test')`);
  expect(await epoch()).toBe(before + 2);
});

test("a database from before profiles keeps its flags and scores, and has learned and checked nothing yet", async () => {
  await goBackBefore(db, "20261202050000_quality_profiles");
  await db.pool.query(
    `INSERT INTO device (name) VALUES ('d'); INSERT INTO metric (name, kind) VALUES ('a', 'number');
     INSERT INTO quality_flag SELECT 1, 1, 'spike', now(), now(), 'fail', 1;
     INSERT INTO quality_day (device_id, metric_id, bucket, received, validity, timeliness, plausibility, uniqueness) VALUES (1, 1, now(), 1, 1, 1, 1, 1)`,
  );
  await migrate(db.connectionString);
  const { rows } = await db.pool.query(
    `SELECT (SELECT count(*)::int FROM quality_flag) AS flags, (SELECT count(*)::int FROM quality_day) AS days,
       (SELECT count(*)::int FROM series_profile) AS profiles, (SELECT count(*)::int FROM quality_checked) AS checked`,
  );
  expect(rows).toEqual([{ flags: 1, days: 1, profiles: 0, checked: 0 }]);
});

test("what was learned of a device before its first times were kept apart is still known", async () => {
  const { rows } = await db.pool.query<{ id: number }>(`INSERT INTO device (name) VALUES ('learned') RETURNING id`);
  const { id } = rows[0]!;
  const [device, series] = [newDevice(), newSeries()];
  for (const numbers of [device, series]) numbers.forEach((_, i) => (numbers[i] = i + 1));
  await withTransaction(db.pool, (tx) =>
    writeStates(tx, [{ id, until: T, writtenAt: T, device, series: new Map([[7, series]]) }]),
  );
  expect((await readStates(db.pool, [id])).get(id)).toEqual({
    ...{ until: T, writtenAt: T, device, series: new Map([[7, series]]) },
  });
  await db.pool.query(
    `UPDATE quality_state SET layout = 2, state = substring(state FROM 1 FOR 88) || substring(state FROM 105) WHERE device_id = $1`,
    [id],
  );
  device.fill(0, 11);
  expect((await readStates(db.pool, [id])).get(id)).toEqual({
    ...{ until: T, writtenAt: T, device, series: new Map([[7, series]]) },
  });
});
