import { rmSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import type { Sample } from "@/server/ports/commit-batch";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { addBlocks, addCatalog, AUGUST, type ColdRig, coldRig, hourOf } from "@/server/testing/cold-rig";
import { goBackBefore } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { until } from "@/server/testing/until";
import { createColdReader } from "./cold/reader";
import { readingJobs } from "./jobs";
import { mergeJobs } from "./merge";
import { readOldest, readRules, removeRule, setRules } from "./retention";
import { writeSamples } from "./samples";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const OCTOBER = Date.UTC(2026, 9, 1);
const NOW = Date.UTC(2026, 10, 28);
const LATE: Sample = { deviceId: 1, time: AUGUST + 3 * HOUR + 1, metrics: [1, 2], values: [1000, -1000] };

let rig: ColdRig;
beforeEach(async () => {
  rig = await coldRig();
  await addCatalog(rig.db.pool, { devices: ["a", "b"], metrics: ["x", "y"], rolledUntil: OCTOBER });
  await addBlocks(
    rig.db.pool,
    [1, 2].flatMap((device) => [...Array(24).keys()].map((hour) => hourOf(device, hour, { count: 30 }))),
  );
  await rig.db.pool.query("UPDATE device SET rolled_until = NULL");
  await merge();
});
afterEach(() => rig.close());

async function merge(cold = rig.cold): Promise<void> {
  await rig.db.pool.query("UPDATE device SET last_seen = '2026-11-28Z'");
  await mergeJobs(cold)[0]!.run(jobContext(rig.db.pool, { now: NOW }));
}
const write = (samples: readonly Sample[], wait = async () => {}) =>
  withTransaction(rig.db.pool, async (tx) => {
    const device = { latest: OCTOBER, rolledUntil: OCTOBER };
    const written = await writeSamples(tx, samples, new Map([1, 2].map((id) => [id, device])), rig.cold);
    await wait();
    return written;
  });
/** Keeps readings for 60 days, minutes and hours for ever, as of a day ago. */
async function keepShort(): Promise<void> {
  await withTransaction(rig.db.pool, (tx) => setRules(tx, { raw: 60, minutes: null, hours: null }));
  await rig.db.pool.query("UPDATE retention_rule SET changed_at = $1", [new Date(NOW - DAY)]);
}
const retain = (cold = rig.cold, days = 0) =>
  readingJobs({ days, cold })[0]!.run(jobContext(rig.db.pool, { now: NOW }));
const rollups = async (table: "rollup_hour" | "rollup_minute") =>
  (await rig.db.pool.query(`SELECT * FROM ${table} WHERE bucket < '2026-09-01Z' ORDER BY device_id, bucket`)).rows;
const readings = async () => (await Promise.all([1, 2].map((device) => rig.readings(device)))).flat().length;
const count = (rows: { counts: number[] }[]) => rows.reduce((sum, { counts }) => sum + counts[0]!, 0);

test("the oldest readings are those in cold storage, where there are any: their month is the one that goes next", async () => {
  await rig.move();
  await addBlocks(rig.db.pool, [hourOf(1, 24 * 61, { count: 10 })]);
  expect((await readOldest(rig.db.pool)).raw).toBe(AUGUST);
});

test("a month of cold storage goes by the table of kept times, after its minutes were written from both sides", async () => {
  await rig.move();
  await write([LATE]);
  await merge();
  const hours = await rollups("rollup_hour");
  expect([hours.length, count(hours)]).toEqual([48, 2 * 24 * 30 + 1]);
  await retain();
  expect(await readings(), "for ever, as nobody has set anything").toBe(2 * 24 * 60 + 2);
  await keepShort();
  await retain();
  expect(await readings()).toBe(0);
  expect((await rig.db.pool.query("SELECT state FROM cold_file")).rows).toEqual([{ state: "removing" }]);
  expect(await rollups("rollup_hour")).toEqual(hours);
  const minutes = await rollups("rollup_minute");
  expect([minutes.length, count(minutes)]).toEqual([2 * 24 * 30, 2 * 24 * 30 + 1]);
  expect(minutes.find(({ counts }) => counts[0] === 2)).toMatchObject({
    device_id: 1,
    maxs: [1000, expect.any(Number)],
  });
});

test("texts go once their last message is older than readings are kept, at all devices, and not a day before", async () => {
  await rig.db.pool.query(
    `INSERT INTO text_run (device_id, field, from_time, to_time, value)
     SELECT d.id, 'mode', time, time + interval '9 days', 'auto'
     FROM device d CROSS JOIN generate_series('2026-09-01Z'::timestamptz, '2026-11-20Z', '10 days') AS time`,
  );
  const texts = async () =>
    (
      await rig.db.pool.query<{ text: string }>(
        "SELECT device_id || to_char(from_time, ' MM-DD') AS text FROM text_run WHERE from_time < '2026-10-05Z' ORDER BY 1",
      )
    ).rows.map(({ text }) => text);
  const all = ["1 09-01", "1 09-11", "1 09-21", "1 10-01", "2 09-01", "2 09-11", "2 09-21", "2 10-01"];
  await retain();
  expect(await texts()).toEqual(all);
  await keepShort();
  await retain();
  // Sixty days before the 28th of November is the 29th of September.
  expect(await texts()).toEqual(all.filter((text) => !/09-(01|11)/.test(text)));
});

test("late data for hours whose readings are gone is refused where it would be stored, and rollups stay", async () => {
  await write([{ ...LATE, time: AUGUST + 2 * HOUR + 1 }]);
  await merge();
  const before = await rollups("rollup_hour");
  await keepShort();
  await retain();
  const refused = { name: "JustRemovedError", message: expect.stringContaining("2026-09-01") };
  await expect(write([LATE])).rejects.toMatchObject(refused);
  await expect(write([{ ...LATE, time: AUGUST + 40 * HOUR }]), "an hour without readings").rejects.toMatchObject(
    refused,
  );
  await merge();
  expect(await rollups("rollup_hour")).toEqual(before);
  expect(await rig.db.pool.query("SELECT FROM late_hour")).toMatchObject({ rowCount: 0 });
  expect(count(await rollups("rollup_minute"))).toBe(count(before));
});

test.each(["PostgreSQL", "cold storage"])(
  "what is being written for a month of %s while it is removed keeps it there until it is merged",
  async (place) => {
    if (place === "cold storage") await rig.move();
    await keepShort();
    let commit = () => {};
    let isWritten = false;
    const writing = write([LATE], () => {
      isWritten = true;
      return new Promise((resolve) => (commit = resolve));
    });
    await until(async () => isWritten);
    const removing = retain();
    await until(async () => {
      const { rowCount } = await rig.db.pool.query(
        "SELECT FROM pg_locks WHERE NOT granted AND relation = 'sample'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
      );
      return rowCount! > 0;
    });
    commit();
    await Promise.all([writing, removing]);
    expect(await readings()).toBe(2 * 24 * 60 + 2);
    await merge();
    expect(count(await rollups("rollup_minute")), "its minutes can't be made later").toBe(2 * 24 * 30 + 1);
    await retain();
    expect(await readings()).toBe(0);
    expect(count(await rollups("rollup_hour"))).toBe(2 * 24 * 30 + 1);
    expect(count(await rollups("rollup_minute"))).toBe(2 * 24 * 30 + 1);
  },
);

test("rows in no month of their own are removed only when they are merged, and their minutes kept", async () => {
  const { pool } = rig.db;
  const old = "1990-01-05T00:30:00Z";
  await pool.query(
    `INSERT INTO device (name, last_event_time) VALUES ('old', $1);`.replace("$1", `'${old}'`) +
      `INSERT INTO sample (device_id, time, metrics, values) VALUES (3, '${old}', '{1}', '{5}')`,
  );
  await keepShort();
  await retain();
  const left = () => pool.query("SELECT FROM sample WHERE device_id = 3");
  expect((await left()).rowCount).toBe(1);
  await pool.query("UPDATE device SET last_seen = '2026-11-01Z' WHERE id = 3");
  await mergeJobs(rig.cold)[0]!.run(jobContext(pool, { now: NOW }));
  await retain();
  expect((await left()).rowCount).toBe(0);
  for (const table of ["rollup_hour", "rollup_minute"])
    expect((await pool.query(`SELECT sums FROM ${table} WHERE device_id = 3`)).rows).toEqual([{ sums: [5] }]);
});

test("while cold storage is away, a month whose minutes it has stays, others go, and the run tells of it", async () => {
  await rig.move();
  await addBlocks(rig.db.pool, [hourOf(1, -31 * 24, { count: 5 })]);
  await rig.db.pool.query("UPDATE device SET rolled_until = NULL");
  await merge();
  await keepShort();
  const away = createColdReader(createFolderColdStore("/dev/null/nowhere"), () => NOW);
  await expect(retain(away)).rejects.toMatchObject({ name: "ColdUnavailableError" });
  expect((await rig.db.pool.query("SELECT FROM sample")).rowCount).toBe(0);
  expect(await readings()).toBe(2 * 24 * 60);
  await retain();
  expect(await readings()).toBe(0);
});

test("late hours that wait for cold storage hold up no others", async () => {
  await addBlocks(rig.db.pool, [hourOf(2, 61 * 24 - 24, { count: 10 })]);
  await rig.db.pool.query("UPDATE device SET rolled_until = NULL");
  await merge();
  await rig.db.pool.query("INSERT INTO cold_hold (month) VALUES ('2026-09-01')");
  await rig.move();
  await write([
    LATE,
    { ...LATE, time: LATE.time + HOUR },
    { ...LATE, deviceId: 2, time: AUGUST + (61 * 24 - 24) * HOUR + 1 },
  ]);
  const away = createColdReader(createFolderColdStore("/dev/null/nowhere"), () => NOW);
  const late = async () => (await rig.db.pool.query("SELECT device_id FROM late_hour")).rows;
  expect(await late()).toHaveLength(3);
  await expect(merge(away)).rejects.toMatchObject({
    name: "ColdUnavailableError",
    message: expect.stringMatching(/^All else is merged\. Waiting for cold storage: late readings of 2 hours\. /),
  });
  expect(await late()).toEqual([{ device_id: 1 }, { device_id: 1 }]);
  // One file that is gone holds up what lies in it alone.
  rmSync(path.join(rig.folder, "readings"), { recursive: true });
  const fresh = createColdReader(rig.store, () => NOW);
  await expect(merge(fresh)).rejects.toMatchObject({ fix: expect.stringContaining("verify") });
  expect(await late()).toHaveLength(2);
});

test("a rule that is taken back removes nothing for ten minutes either", async () => {
  const { pool } = rig.db;
  await keepShort();
  await withTransaction(pool, (tx) => setRules(tx, { raw: null }));
  expect(await withTransaction(pool, (tx) => removeRule(tx, "raw"))).toBe(true);
  expect(await withTransaction(pool, (tx) => removeRule(tx, "raw"))).toBe(false);
  await pool.query("UPDATE retention_rule SET changed_at = $1", [new Date(NOW - 599_000)]);
  await retain(rig.cold, 30);
  expect(await readings()).toBe(2 * 24 * 60);
  const [raw] = await readRules(pool, 30);
  expect(raw).toMatchObject({ days: 30, isSet: false, changedAt: NOW - 599_000, goneBefore: null });
  await pool.query("UPDATE retention_rule SET changed_at = $1", [new Date(NOW - 601_000)]);
  await retain(rig.cold, 30);
  expect(await readings()).toBe(0);
});

test("rules of the version before stay as they were set", async () => {
  await goBackBefore(rig.db, "20261129132000_retention_taken_back");
  await rig.db.pool.query("INSERT INTO retention_rule (keeps, days) VALUES ('raw', 90), ('hours', NULL)");
  await migrate(rig.db.connectionString);
  expect((await readRules(rig.db.pool, 400)).map(({ days, isSet }) => [days, isSet])).toEqual([
    [90, true],
    [400, false],
    [null, true],
  ]);
});
