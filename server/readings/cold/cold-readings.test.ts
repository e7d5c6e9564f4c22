import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sample } from "@/server/ports/commit-batch";
import { withTransaction } from "@/server/postgres/transaction";
import { addBlocks, addCatalog, AUGUST, type ColdRig, coldRig, hourOf } from "@/server/testing/cold-rig";
import { jobContext } from "@/server/testing/job-context";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import { mergeJobs } from "../merge";
import { exportRows } from "../reading-export";
import { readSeries } from "../reading-queries";
import { takeDevice, takeMetric } from "../removals";
import { writeSamples } from "../samples";
import { bringBack } from "./bring-back";
import { runCold } from "./cli";
import { createColdReader } from "./reader";

const HOUR = 3_600_000;
const OCTOBER = Date.UTC(2026, 9, 1);
const NOW = Date.UTC(2026, 10, 28);
let rig: ColdRig;
beforeAll(async () => {
  rig = await coldRig();
  await addCatalog(rig.db.pool, { devices: ["a", "b", "c"], metrics: ["x", "y"], rolledUntil: OCTOBER });
  await addBlocks(
    rig.db.pool,
    [1, 2, 3].flatMap((device) => Array.from({ length: 48 }, (_, hour) => hourOf(device, hour, { count: 30 }))),
  );
  await addBlocks(rig.db.pool, [hourOf(1, 24 * 61, { count: 10 })]);
  // All hours get their rollups, as the job makes them.
  await rig.db.pool.query("UPDATE device SET rolled_until = NULL");
  await merge();
  await rig.move();
});
afterAll(() => rig.close());

async function merge(): Promise<void> {
  await rig.db.pool.query("UPDATE device SET last_seen = '2026-11-28Z'");
  for (const job of mergeJobs(rig.cold).slice(0, 1)) await job.run(jobContext(rig.db.pool, { now: NOW }));
}
const hotHours = async () =>
  Number((await rig.db.pool.query("SELECT count(*) AS n FROM sample WHERE time < '2026-09-01Z'")).rows[0].n);
const write = (samples: readonly Sample[]) =>
  withTransaction(rig.db.pool, (tx) => {
    const device = { latest: OCTOBER, rolledUntil: OCTOBER };
    return writeSamples(tx, samples, new Map([1, 2, 3].map((id) => [id, device])), rig.cold);
  });
const asked = { sites: "all", device: 1, metric: 1, resolution: "auto", maxPoints: 1000 } as const;
const day = { from: AUGUST, to: AUGUST + 24 * HOUR };
const away = createColdReader(createFolderColdStore("/dev/null/nowhere"), () => NOW);

test("a month in cold storage has the same series and downloads", async () => {
  expect(await hotHours()).toBe(0);
  const raw = await readSeries(rig.db.pool, { ...asked, ...day }, rig.cold);
  expect(raw).toMatchObject({ resolution: "raw", cold: "read" });
  expect(raw.points.map(({ last }) => last)).toEqual(
    Array.from({ length: 24 }, (_, hour) => [...hourOf(1, hour, { count: 30 }).values.slice(0, 30)]).flat(),
  );
  const hours = await readSeries(rig.db.pool, { ...asked, ...day, resolution: "hour" }, rig.cold);
  expect(hours).toMatchObject({ cold: "none", points: { length: 24 } });
  const rows = [];
  for await (const chunk of exportRows(
    rig.db.pool,
    "raw",
    { ...asked, metrics: [2, 1], from: AUGUST, to: OCTOBER + HOUR },
    rig.cold,
  ))
    rows.push(...chunk);
  expect(rows).toHaveLength(48 * 30 + 10);
  expect(rows[31]).toMatchObject({
    time: AUGUST + HOUR + 120_000,
    cells: [{ last: Math.sin(1 + 1 + 2 + 1) }, { last: Math.sin(1 + 1 + 1 + 1) }],
  });
});

test("while cold storage is away, what doesn't need it is answered, a chart from hours, and the rest is an outage that says what to do", async () => {
  const hot = await readSeries(rig.db.pool, { ...asked, from: OCTOBER, to: OCTOBER + HOUR }, away);
  expect(hot).toMatchObject({ cold: "none", points: { length: 10 } });
  const coarse = await readSeries(rig.db.pool, { ...asked, ...day }, away);
  expect(coarse).toMatchObject({ cold: "away", resolution: "hour", points: { length: 24 } });
  const raw = readSeries(rig.db.pool, { ...asked, ...day, resolution: "raw" }, away);
  await expect(raw).rejects.toMatchObject({ name: "ColdUnavailableError", fix: expect.stringContaining("COLD_URL") });
  const unset = readSeries(
    rig.db.pool,
    { ...asked, ...day, resolution: "raw" },
    createColdReader(null, () => NOW),
  );
  await expect(unset).rejects.toMatchObject({ name: "ColdUnavailableError", fix: expect.stringContaining(rig.folder) });
  const [name] = (await rig.db.pool.query<{ name: string }>("SELECT name FROM cold_file ORDER BY id")).rows;
  expect(name!.name).toMatch(/^readings\/month=2026-08\/part-0001-[\da-f]{8}\.parquet$/);
});

test("late readings of a moved month are judged against it, counted in its rollups, and moved by the next run", async () => {
  const { times, values } = hourOf(1, 3, { count: 30 });
  const sample = (time: number, metrics: number[], some: number[]): Sample => ({
    deviceId: 1,
    time,
    metrics,
    values: some,
  });
  const before = await rig.readings(1);
  const written = await write([
    sample(times[5]!, [1, 2], [values[5]!, values[35]!]), // both there
    sample(times[6]!, [1], [99]), // another value
    sample(times[7]! + 1, [1, 2], [1000, -1000]), // new
  ]);
  expect(written).toMatchObject({
    duplicates: 2,
    late: 2,
    conflicts: [{ metric: 1, time: times[6], kept: values[6], refused: 99 }],
  });
  // The same again is a repeat of what lies beside the month now.
  expect(await write([sample(times[7]! + 1, [1, 2], [1000, 5])])).toMatchObject({
    duplicates: 1,
    conflicts: [{ kept: -1000 }],
    added: [],
  });
  const hourly = async () =>
    (
      await readSeries(
        rig.db.pool,
        { ...asked, from: AUGUST + 3 * HOUR, to: AUGUST + 4 * HOUR, resolution: "hour" },
        rig.cold,
      )
    ).points;
  const open = await hourly();
  expect(open).toMatchObject([{ count: 31, max: 1000 }]);
  await expect(rig.move()).rejects.toThrow("2026-08 (late readings of 1 hour are not merged yet)");
  expect(await hotHours(), "its hour isn't merged yet").toBe(1);
  await merge();
  expect(await hourly()).toEqual([{ ...open[0], mean: expect.closeTo(open[0]!.mean, 9) }]);
  await rig.move();
  expect(await hotHours()).toBe(0);
  expect(await hourly()).toEqual([{ ...open[0], mean: expect.closeTo(open[0]!.mean, 9) }]);
  expect(await rig.readings(1)).toHaveLength(before.length + 2);
});

test("a metric and a device that are removed leave cold storage too", async () => {
  const { pool } = rig.db;
  await withTransaction(pool, async (tx) => {
    while (await bringBack(tx, rig.cold, 2, { metric: 2 }));
    while ((await takeMetric(tx, 2, { metric: 2, into: null })).taken > 0);
  });
  await pool.query("DELETE FROM device WHERE id = 3");
  expect(await withTransaction(pool, (tx) => takeDevice(tx, 3))).toMatchObject({ readings: 48 * 60 });
  await withTransaction(pool, async (tx) => {
    while ((await takeDevice(tx, 3)).rows > 0);
  });
  await merge();
  await rig.move();
  expect(await hotHours()).toBe(0);
  expect(await rig.readings(3)).toEqual([]);
  const left = await rig.readings(2);
  expect(left).toHaveLength(48 * 30);
  expect(left.every((line) => line.split(" ")[1] === "1")).toBe(true);
  const { rows } = await pool.query("SELECT device_id, sum(rows)::int AS rows FROM cold_device GROUP BY 1 ORDER BY 1");
  expect(rows).toEqual([
    { device_id: 1, rows: 48 * 30 + 1 },
    { device_id: 2, rows: 48 * 30 },
  ]);
  const { rows: files } = await pool.query("SELECT sum(rows)::int AS rows FROM cold_file WHERE state = 'kept'");
  expect(files).toEqual([{ rows: 2 * 48 * 30 + 1 }]);
});

test("a month is brought back by a command, stays until it is released, and files are verified", async () => {
  const { pool } = rig.db;
  const said: string[] = [];
  const run = (...argv: string[]) => runCold(argv, { pool, store: rig.store, say: (line) => said.push(line) });
  const before = await Promise.all([1, 2].map((device) => rig.readings(device)));
  expect(await run("list")).toBe(0);
  expect(said.pop()).toMatch(/^2026-08 {2}4,322 readings, \d+\.\d kB in 1 file at /);
  expect(await run("verify")).toBe(0);
  expect(await run("restore", "--month", "2026-08")).toBe(0);
  expect(await hotHours()).toBe(96);
  expect(await Promise.all([1, 2].map((device) => rig.readings(device)))).toEqual(before);
  await rig.move();
  expect(await hotHours()).toBe(96);
  expect(await run("release", "--month", "2026-08")).toBe(0);
  await rig.move();
  expect(await hotHours()).toBe(0);
  expect(await Promise.all([1, 2].map((device) => rig.readings(device)))).toEqual(before);
  const { rows: kept } = await pool.query<{ name: string }>("SELECT name FROM cold_file WHERE state = 'kept'");
  const file = path.join(rig.folder, kept[0]!.name);
  const bytes = readFileSync(file);
  for (const spoil of [
    // Its pages, then its end as well, then all of it.
    () =>
      writeFileSync(
        file,
        bytes.map((byte, at) => (at < bytes.length / 2 ? byte ^ 0x55 : byte)),
      ),
    () =>
      writeFileSync(
        file,
        bytes.map((byte) => byte ^ 0x55),
      ),
    () => rmSync(path.join(rig.folder, "readings"), { recursive: true }),
  ]) {
    spoil();
    expect(await run("verify", "--month", "2026-08")).toBe(1);
    expect(said.at(-1)).toContain("1 of 1 file can't be read");
    const asking = readSeries(
      pool,
      { ...asked, ...day, resolution: "raw" },
      createColdReader(rig.store, () => NOW),
    );
    await expect(asking).rejects.toMatchObject({
      ...{ name: "ColdUnavailableError", fix: expect.stringContaining("verify") },
    });
    expect(await run("restore", "--month", "2026-08")).toBe(1);
    expect(said.slice(-2)).toEqual([
      expect.stringMatching(/^readings\/month=2026-08\/\S+ {2}is missing, or isn't as it was written$/),
      expect.stringContaining("1 of 1 file can't be read"),
    ]);
    // Nothing came back, so nothing is said to stay.
    expect((await pool.query("SELECT FROM cold_hold")).rowCount).toBe(0);
  }
  const nowhere = createFolderColdStore("/dev/null/nowhere");
  await expect(runCold(["verify"], { pool, store: nowhere, say: () => {} })).rejects.toMatchObject({
    ...{ name: "StartError", what: "Cold storage can't be reached", fix: expect.stringContaining("COLD_URL") },
  });
  await expect(run("restore")).rejects.toThrow("--month is missing");
  await expect(run("restore", "--month", "2026-13")).rejects.toThrow("isn't a month");
});
