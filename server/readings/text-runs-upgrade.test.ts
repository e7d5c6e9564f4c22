import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { readTextRuns } from "./text-history";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const NOON = Date.UTC(2026, 0, 15, 12);

test("a database from before keeps what it holds, and texts have a history from then on", async () => {
  await goBackBefore(db, "20261213000000_text_runs");
  const state = `{"mode":["auto",${NOON}]}`;
  await db.pool.query("INSERT INTO device (name) VALUES ('press-1')");
  await db.pool.query("INSERT INTO device_twin (device, event_time, state) VALUES ('press-1', $1, $2)", [
    new Date(NOON),
    state,
  ]);
  await migrate(db.connectionString);
  const log = createScriptedLog("cluster", 1);
  const rig = await createRig(db.pool, log);
  const mode = async () => (await rig.twins.get(["press-1"])).get("press-1")?.values.get("mode");
  expect(await mode()).toEqual({ value: "auto", eventTime: NOON });
  const time = NOON + 60_000;
  log.append(0, { device: "press-1", time, readings: { mode: "manual" } }, time);
  await rig.drain();
  expect(await mode()).toEqual({ value: "manual", eventTime: time });
  const range = { device: 1, from: NOON - 3_600_000, to: NOON + 3_600_000 };
  expect(await withTransaction(db.pool, (tx) => readTextRuns(tx, range))).toEqual([
    { field: "mode", runs: [{ from: time, to: time, value: "manual", quiet: null }], more: false },
  ]);
});
