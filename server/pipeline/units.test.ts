import { afterAll, beforeAll, expect, test } from "vitest";
import { describeMetric, findMetrics, setOwnUnits } from "@/server/catalog/metrics";
import { createPrismaClient } from "@/server/postgres/prisma";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const T = "2026-01-15T12:00:0";
let second = 0;

function message(device: string, readings: object, units?: object, more: object = {}) {
  return { device, time: `${T}${second++ % 10}.${String(second).padStart(3, "0")}Z`, readings, units, ...more };
}

async function stored(device: string) {
  const { rows } = await db.pool.query<{ metric: string; value: number }>(
    `SELECT metric, value FROM reading WHERE device = $1 ORDER BY time, metric`,
    [device],
  );
  return rows.map(({ metric, value }) => [metric, value]);
}

async function letters(device: string) {
  const { rows } = await db.pool.query<{ field: string; reason: string; detail: string; raw: Buffer }>(
    `SELECT field, reason, detail, raw FROM dead_letter WHERE device = $1 ORDER BY "offset", field`,
    [device],
  );
  return rows;
}

test("a metric takes the unit of the message that discovers it; others are converted to it, or kept as dead letters", async () => {
  const log = createScriptedLog("units", 1);
  const rig = await createRig(db.pool, log);
  log.append(0, message("a", { t: 20, p: 1013.25, battery: 80 }, { t: "°C", p: "hPa", battery: "%" }));
  log.append(
    0,
    message("b", { t: 68, p: 29.92, battery: 3.1, on: true }, { t: "°F", p: "inHg", battery: "V", on: "V" }),
  );
  log.append(0, message("c", { t: 20.5, odd: 1 }, { odd: "furlong" }));
  log.append(0, message("c", { odd: 2 }, { odd: "fathom" }));
  await rig.drain(1);
  await rig.drain(1);

  const prisma = createPrismaClient(db.pool);
  const units = (await findMetrics(prisma, "all")).map(({ name, unit, meaning }) => [name, unit, meaning]);
  expect(units).toEqual([
    ["battery", "%", "set"],
    ["odd", "furlong", "set"],
    ["on", null, "none"],
    ["p", "hPa", "set"],
    ["t", "°C", "set"],
  ]);
  expect(await stored("b")).toEqual([
    ["on", 1],
    ["p", 1013.20453696],
    ["t", 20],
  ]);
  expect((await letters("b")).map(({ field, reason, detail }) => [field, reason, detail])).toEqual([
    ["battery", "unitMismatch", "battery is sent in V; its metric is in %, which that can't be converted to"],
  ]);
  expect(JSON.parse((await letters("b"))[0]!.raw.toString())).toMatchObject({
    readings: { battery: 3.1 },
    units: { battery: "V" },
  });
  expect((await letters("c")).map(({ field, reason }) => [field, reason])).toEqual([["odd", "unitMismatch"]]);
  expect((await rig.twins.get(["b"])).get("b")?.values.get("t")?.value).toBe(20);
});

test("where a metric has no unit, what a message says is its device's own; a person's word holds from then on", async () => {
  const log = createScriptedLog("own", 1);
  const rig = await createRig(db.pool, log);
  log.append(0, message("plain", { level: 5 }));
  log.append(0, message("said", { level: 5 }, { level: "m" }));
  log.append(0, message("said", { level: 120 }, { level: "cm" }));
  await rig.drain(1);
  const own = () =>
    db.pool.query(
      `SELECT d.name, u.unit FROM device_unit u JOIN device d ON d.id = u.device_id JOIN metric m ON m.id = u.metric_id
       WHERE m.name = 'level' ORDER BY d.name`,
    );
  expect((await own()).rows).toEqual([{ name: "said", unit: "m" }]);
  expect(await stored("said")).toEqual([
    ["level", 5],
    ["level", 1.2],
  ]);

  const prisma = createPrismaClient(db.pool);
  const { key } = (await findMetrics(prisma, "all")).find(({ name }) => name === "level")!;
  await withTransaction(db.pool, (tx) =>
    setOwnUnits(tx, "all", key, { devices: ["said"], unit: "mm", unsetOnly: false }),
  );
  log.append(0, message("said", { level: 3 }, { level: "m" }));
  // That the catalog has changed is seen before the next batch is read.
  await rig.drain(1);
  expect((await stored("said")).at(-1)).toEqual(["level", 3000]);
  await withTransaction(db.pool, (tx) => describeMetric(tx, key, { unit: "ft", min: null, max: null }));
  log.append(0, message("plain", { level: 3.048 }, { level: "m" }));
  await rig.drain(1);
  expect((await stored("plain")).at(-1)).toEqual(["level", 10]);
});

test("values of unknown age are in the twin alone, and say nothing of when a device was heard", async () => {
  const log = createScriptedLog("state", 1);
  const rig = await createRig(db.pool, log);
  const time = "2026-01-15T12:10:00.000Z";
  log.append(0, { device: "kept", time, state: { mode: "eco", power: 5, on: true } });
  await rig.drain(1);
  expect(await stored("kept")).toEqual([]);
  const seen = async () =>
    (await db.pool.query(`SELECT last_seen, last_event_time, messages::int FROM device WHERE name = 'kept'`)).rows[0];
  expect(await seen()).toEqual({ last_seen: null, last_event_time: null, messages: 1 });
  expect((await db.pool.query(`SELECT FROM metric WHERE name = 'power'`)).rowCount).toBe(0);
  const values = (await rig.twins.get(["kept"])).get("kept")!;
  expect(values.eventTime).toBe(0);
  expect([...values.values].map(([field, { value, isState }]) => [field, value, isState])).toEqual([
    ["power", 5, true],
    ["on", true, true],
    ["mode", "eco", true],
  ]);
  log.append(0, { device: "kept", time: "2026-01-15T11:00:00.000Z", readings: { power: 7 } });
  log.append(0, { device: "kept", time: "2026-01-15T12:30:00.000Z", state: { power: 9 } });
  await rig.drain(2);
  expect((await rig.twins.get(["kept"])).get("kept")).toMatchObject({ eventTime: Date.parse("2026-01-15T11:00:00Z") });
  expect((await seen()).last_event_time).toEqual(new Date("2026-01-15T11:00:00.000Z"));
  expect((await rig.twins.get(["kept"])).get("kept")!.values.get("power")).toMatchObject({ value: 7 });
});
