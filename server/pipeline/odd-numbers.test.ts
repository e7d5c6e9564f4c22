import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("what is no number costs its field alone; the message is kept as it was sent", async () => {
  const log = createScriptedLog("nan", 1);
  const rig = await createRig(db.pool, log);
  const sent = [
    '"temperature":17.1,"humidity":70.0,"dew":NaN',
    '"temperature":17.2,"humidity":nan',
    '"temperature":17.3,"level":Infinity',
    '"temperature":17.4,"level":"NaN"',
    '"temperature":"unavailable","humidity":70.4',
    '"temperature":"17.5","humidity":70.5',
  ].map((fields, minute) => `{"device":"nan-1","time":"2026-01-15T12:0${minute}:00Z","readings":{${fields}}}`);
  for (const text of sent) log.append(0, text);
  await rig.drain(2);

  const { rows } = await db.pool.query<{ line: string }>(
    `SELECT to_char(time AT TIME ZONE 'UTC', 'MI') || ' ' || metric || ' ' || value AS line FROM reading ORDER BY time, metric`,
  );
  expect(rows.map(({ line }) => line)).toEqual([
    "00 humidity 70",
    "00 temperature 17.1",
    "01 temperature 17.2",
    "02 temperature 17.3",
    "03 temperature 17.4",
    "04 humidity 70.4",
    "05 humidity 70.5",
  ]);
  const found = await db.pool.query<{ field: string; reason: string; detail: string }>(
    `SELECT field, reason, detail FROM dead_letter ORDER BY "offset"`,
  );
  expect(found.rows.map(({ field, reason, detail }) => [field, reason, detail])).toEqual([
    ["dew", "notFinite", "dew is NaN"],
    ["humidity", "notFinite", "humidity is nan"],
    ["level", "notFinite", "level is Infinity"],
    ["temperature", "typeDrift", "temperature is a string; it has readings, which are numbers or booleans"],
    ["temperature", "typeDrift", "temperature is a string; it has readings, which are numbers or booleans"],
  ]);
  expect((await rig.twins.get(["nan-1"])).get("nan-1")?.values.get("level")?.value).toBe("NaN");
  const archived = await rig.archive.find({ device: "nan-1", limit: 10 });
  expect(archived.map(({ body }) => body).sort()).toEqual([...sent].sort());
});

test("series with numbers that no double holds as they were sent are marked, and all values stored as their nearest", async () => {
  const log = createScriptedLog("exact", 1);
  const rig = await createRig(db.pool, log);
  const sent = [
    "1e-7",
    "123456789.123456789",
    "9007199254740991",
    "9007199254740993",
    "18446744073709551615",
    "5e-324",
    "1.7976931348623157e308",
  ];
  for (const [i, value] of sent.entries()) {
    log.append(
      0,
      `{"device":"exact-1","time":"2026-11-27T10:00:00.00${i}Z","readings":{"v":${value},"whole":${i},"u":${i === 0 ? value : 1}}}`,
      Date.UTC(2026, 10, 28),
    );
  }
  // Late, and its values are stored already.
  log.append(
    0,
    `{"device":"exact-1","time":"2026-11-27T10:00:00.003Z","readings":{"v":9007199254740993}}`,
    Date.UTC(2026, 10, 28),
  );
  await rig.drain(3);
  await rig.drain(3);
  const stored = await db.pool.query<{ value: number }>(
    `SELECT value FROM reading WHERE device = 'exact-1' AND metric = 'v' ORDER BY time`,
  );
  expect(stored.rows.map(({ value }) => value)).toEqual(sent.map(Number));
  const { rows } = await db.pool.query(
    `SELECT d.name AS device, m.name AS metric, r.time FROM rounded_series r JOIN device d ON d.id = device_id JOIN metric m ON m.id = metric_id`,
  );
  expect(rows).toEqual([{ device: "exact-1", metric: "v", time: new Date("2026-11-27T10:00:00.004Z") }]);
});
