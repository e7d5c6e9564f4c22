import { readdirSync } from "node:fs";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ColdStore } from "@/server/ports/cold-store";
import { withTransaction } from "@/server/postgres/transaction";
import { addBlocks, addCatalog, AUGUST, type ColdRig, coldRig, hourOf } from "@/server/testing/cold-rig";
import { bringBack } from "./bring-back";

let rig: ColdRig;
beforeAll(async () => {
  rig = await coldRig();
  const { pool } = rig.db;
  const metrics = ["temperature", "time", "a.b:c-d", "motion", "Temperature"];
  await addCatalog(pool, { devices: ["press-07", "oven", "fan"], metrics, rolledUntil: Date.UTC(2026, 9, 1) });
  const odd = [-0, 0, 1, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, NaN];
  await addBlocks(pool, [
    ...Array.from({ length: 31 * 24 }, (_, hour) => hourOf(1, hour)),
    ...Array.from({ length: 100 }, (_, day) =>
      hourOf(2, day * 7, { metrics: [3, 4], value: (m, i) => odd[(m + i) % 7]! }),
    ),
    hourOf(3, 31 * 24 + 5),
    // Alone in its file but for others of the month.
    hourOf(3, 31 * 24 + 6, { metrics: [5], count: 2 }),
  ]);
  // The earlier form: a row a moment.
  await pool.query(
    "INSERT INTO sample (device_id, time, metrics, values) VALUES (3, '2026-08-31T23:59:59.999Z', '{1,2}', '{-0,5}')",
  );
});
afterAll(() => rig.close());

const files = () =>
  readdirSync(path.join(rig.folder, "readings"), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".parquet"));
const hotRows = async (from = "2026-08-01", to = "2026-09-01") =>
  Number(
    (await rig.db.pool.query("SELECT count(*) AS n FROM sample WHERE time >= $1 AND time < $2", [`${from}Z`, `${to}Z`]))
      .rows[0].n,
  );

test("moves a month, of which every reading is read as before", async () => {
  const before = await Promise.all([1, 2, 3].map((device) => rig.readings(device)));
  expect(before.map(({ length }) => length)).toEqual([31 * 24 * 120, expect.any(Number), 124]);
  await rig.db.pool.query("UPDATE device SET rolled_until = '2026-08-31T23:00Z' WHERE id = 3");
  await expect(rig.move()).rejects.toThrow("2026-08 (readings of fan are not merged yet)");
  expect(await hotRows(), "an hour isn't merged").toBeGreaterThan(0);
  await rig.db.pool.query("UPDATE device SET rolled_until = '2026-10-01Z' WHERE id = 3");
  await rig.move();
  expect(await hotRows()).toBe(0);
  expect(await hotRows("2026-09-01", "2026-10-01"), "the month after, at its time").toBe(0);
  expect(
    files()
      .map((name) => path.dirname(name))
      .sort(),
  ).toEqual(["month=2026-08", "month=2026-09"]);
  expect(await Promise.all([1, 2, 3].map((device) => rig.readings(device)))).toEqual(before);
});

test("DuckDB reads the files as they are, with the counts and sums of the manifest", async () => {
  const instance = await DuckDBInstance.create();
  const duck = await instance.connect();
  const from = `read_parquet('${rig.folder}/readings/*/*.parquet', union_by_name = true, hive_partitioning = true)`;
  const rows = async (sql: string) => (await duck.runAndReadAll(sql)).getRowsJson();
  expect(await rows(`SELECT device, month, count(*) FROM ${from} GROUP BY ALL ORDER BY ALL`)).toEqual([
    ["fan", "2026-08", "1"],
    ["fan", "2026-09", "62"],
    ["oven", "2026-08", expect.any(String)],
    ["press-07", "2026-08", String(31 * 24 * 60)],
  ]);
  const [[count, sum]] = (await rows(
    `SELECT count(temperature), sum(temperature ORDER BY time) FROM ${from} WHERE device = 'press-07'`,
  )) as [[string, number]];
  const { rows: noted } = await rig.db.pool.query(
    "SELECT counts[array_position(metrics, 1)] AS count, sums[array_position(metrics, 1)] AS sum FROM cold_device JOIN cold_file ON id = file_id WHERE device_id = 1",
  );
  expect(noted).toEqual([{ count: Number(count), sum: expect.closeTo(sum, 9) }]);
  expect(
    await rows(
      `SELECT epoch_ms(time), temperature, "metric time" FROM ${from} WHERE device = 'fan' AND month = '2026-08'`,
    ),
  ).toEqual([[String(Date.UTC(2026, 7, 31, 23, 59, 59, 999)), -0, 5]]);
  expect(
    await rows(
      `SELECT count(temperature), count("Temperature (metric 5)") FROM ${from} WHERE device = 'fan' AND month = '2026-09'`,
    ),
    "names that differ in upper and lower case alone",
  ).toEqual([["60", "2"]]);
  duck.closeSync();
  instance.closeSync();
});

test("late readings of a moved month are read at once, and brought there by the next run", async () => {
  const { pool } = rig.db;
  const before = await rig.readings(2);
  // Between, after, and at a moment that is there already with other metrics.
  await addBlocks(pool, [
    { device: 2, times: Float64Array.of(AUGUST + 17, AUGUST + 60_000), metrics: [1], values: Float64Array.of(7, 8) },
  ]);
  const merged = await rig.readings(2);
  expect(merged).toHaveLength(before.length + 2);
  expect(merged.filter((line) => line.endsWith(" 1 8"))).toEqual([`${AUGUST + 60_000} 1 8`]);
  const old = files();
  await rig.move();
  expect(await hotRows()).toBe(0);
  expect(await rig.readings(2)).toEqual(merged);
  await pool.query("UPDATE cold_file SET since = since - interval '1 hour' WHERE state = 'removing'");
  await rig.move();
  expect(files()).toHaveLength(2);
  expect(files().filter((name) => old.includes(name))).toHaveLength(1);
  expect(await rig.readings(2)).toEqual(merged);
});

test("whatever goes wrong on the way, a month is in one place, and moved the next time", async () => {
  const { pool } = rig.db;
  await addBlocks(pool, [hourOf(1, 20, { metrics: [3] })]);
  const before = await rig.readings(1);
  const broken = (what: Partial<ColdStore>): ColdStore => ({ ...rig.store, ...what });
  const fail = async () => {
    throw new Error("as if the process had died here");
  };
  const flip = async (name: string, from: number, to: number) => {
    const bytes = await rig.store.read(name, from, to);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    return bytes;
  };
  await expect(rig.move(broken({ put: fail }))).rejects.toThrow("died here");
  await expect(rig.move(broken({ read: fail }))).rejects.toThrow("died here");
  await expect(rig.move(broken({ read: flip }))).rejects.toThrow("isn't in cold storage as it was written");
  // Late readings while the files are read back: the month is left as it is.
  const late = broken({
    async read(...args) {
      await pool.query(
        "UPDATE sample SET values = values WHERE device_id = 1 AND time >= '2026-08-01Z' AND time < '2026-09-01Z'",
      );
      return rig.store.read(...args);
    },
  });
  const changed = "2026-08 (its readings changed while they were copied)";
  await expect(rig.move(late)).rejects.toThrow(changed);
  expect(await hotRows()).toBe(1);
  // They come between the writing and the comparison: with another value than was written, and then as ever.
  const become = (value: number) => {
    const set = `UPDATE sample SET values[1] = ${value} WHERE device_id = 1 AND time >= '2026-08-01Z' AND time < '2026-09-01Z'`;
    return broken({
      async put(...args) {
        await pool.query(set);
        return rig.store.put(...args);
      },
    });
  };
  await expect(rig.move(become(1234))).rejects.toThrow(changed);
  await expect(rig.move(become(Math.sin(1 + 20 + 3)))).rejects.toThrow(changed);
  expect(await rig.readings(1)).toEqual(before);
  await rig.move();
  expect(await hotRows()).toBe(0);
  expect(await rig.readings(1)).toEqual(before);
  const { rows } = await pool.query("SELECT state, count(*)::int FROM cold_file GROUP BY 1 ORDER BY 1");
  expect(rows[0]).toEqual({ state: "kept", count: 2 });
  await pool.query("UPDATE cold_file SET since = since - interval '1 day' WHERE state <> 'kept'");
  await rig.move();
  expect(files()).toHaveLength(2);
});

test("a month with readings of a metric that is being removed or merged waits until they are, and holds up no other", async () => {
  const { pool } = rig.db;
  await pool.query("DELETE FROM metric WHERE name = 'motion'");
  await addBlocks(pool, [hourOf(1, 25, { metrics: [1] }), hourOf(2, 31 * 24 + 20)]);
  const before = await rig.readings(2);
  await expect(rig.move()).rejects.toThrow("2026-08 (readings of a deleted or merged metric are not removed yet)");
  expect([await hotRows(), await hotRows("2026-09-01", "2026-10-01")]).toEqual([1, 0]);
  expect(await rig.readings(2)).toEqual(before);
  while (await withTransaction(pool, (tx) => bringBack(tx, rig.cold, 2, { metric: 4 })));
  await pool.query("DELETE FROM sample WHERE device_id = 2 AND 4 = ANY (metrics)");
  await rig.move();
  expect(await hotRows()).toBe(0);
});

test("a month that has to wait is named with the reason, and holds up no other", async () => {
  const { pool } = rig.db;
  await addBlocks(pool, [hourOf(1, 20, { metrics: [3] }), hourOf(2, 31 * 24 + 1)]);
  await pool.query("INSERT INTO late_hour (device_id, hour) VALUES (1, '2026-08-01T20:00Z')");
  const waits = (why: string) => ({
    name: "MonthsWaitError",
    message: `All else is moved. Left for the next try: ${why}.`,
  });
  await expect(rig.move()).rejects.toMatchObject(waits("2026-08 (late readings of 1 hour are not merged yet)"));
  expect(await hotRows()).toBe(1);
  await pool.query("DELETE FROM late_hour; UPDATE device SET rolled_until = '2026-08-01T20:00Z' WHERE id = 1");
  await expect(rig.move()).rejects.toMatchObject(waits("2026-08 (readings of press-07 are not merged yet)"));
  await pool.query("UPDATE device SET rolled_until = '2026-10-01Z' WHERE id = 1");
  await rig.move();
  expect(await hotRows()).toBe(0);
});
