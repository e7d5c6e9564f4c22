import { afterEach, beforeEach, expect, test } from "vitest";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import type { Retention } from "@/server/domain/retention";
import type { SeriesRule } from "@/server/domain/series-rules";
import type { Sample } from "@/server/ports/commit-batch";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { addBlocks, addCatalog, AUGUST, type ColdRig, coldRig, hourOf } from "@/server/testing/cold-rig";
import { goBackBefore } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { createColdReader } from "./cold/reader";
import { readingJobs } from "./jobs";
import { mergeJobs } from "./merge";
import { setRules } from "./retention";
import { writeSamples } from "./samples";
import { removeSeriesRule, readSeriesRules, setSeriesRule } from "./series-rules";

const HOUR = 3_600_000;
const OCTOBER = Date.UTC(2026, 9, 1);
const NOW = Date.UTC(2026, 10, 28);
/** A metric that both devices have, and one more. */
const [X, Y] = [1, 2];

let rig: ColdRig;
beforeEach(async () => {
  rig = await coldRig();
  await fill();
  await rig.db.pool.query("UPDATE device SET rolled_until = NULL");
  await merge();
});
afterEach(() => rig.close());

async function fill(): Promise<void> {
  await addCatalog(rig.db.pool, { devices: ["a", "b"], metrics: ["x", "y"], rolledUntil: OCTOBER });
  await rig.db.pool.query(`
    INSERT INTO site (name) VALUES ('Lab');
    UPDATE device SET site_id = 1, type = 'press' WHERE id = 2;
    INSERT INTO device_metric (device_id, metric_id) SELECT d.id, m.id FROM device d, metric m`);
  await addBlocks(
    rig.db.pool,
    [1, 2].flatMap((device) => [...Array(30).keys()].map((i) => hourOf(device, i * 7, { count: 30 }))),
  );
  await addBlocks(
    rig.db.pool,
    [1, 2].map((device) => hourOf(device, 31 * 24 + 5, { count: 700 })),
  );
}

async function merge(cold = rig.cold): Promise<void> {
  await rig.db.pool.query("UPDATE device SET last_seen = '2026-11-28Z'");
  await mergeJobs(cold)[0]!.run(jobContext(rig.db.pool, { now: NOW }));
}
const write = (samples: readonly Sample[]) =>
  withTransaction(rig.db.pool, async (tx) => {
    const device = { latest: OCTOBER, rolledUntil: OCTOBER };
    return writeSamples(tx, samples, new Map([1, 2].map((id) => [id, device])), rig.cold);
  });
/** Sets rules as of a day ago. */
async function set(rules: readonly SeriesRule[], general?: Retention): Promise<void> {
  await withTransaction(rig.db.pool, async (tx) => {
    if (general) await setRules(tx, general);
    for (const rule of rules) await setSeriesRule(tx, rule);
  });
  await age();
}
async function age(): Promise<void> {
  await rig.db.pool.query("UPDATE retention_rule SET changed_at = $1", [new Date(NOW - 24 * HOUR)]);
  await rig.db.pool.query("UPDATE series_rule_change SET changed_at = $1", [new Date(NOW - 24 * HOUR)]);
}
const retain = async (cold = rig.cold, now = NOW) => {
  for (const job of readingJobs({ days: 0, cold })) await job.run(jobContext(rig.db.pool, { now }));
};
const readings = async (device: number, metric: number) =>
  (await rig.readings(device)).filter((text) => text.split(" ")[1] === String(metric)).length;
const rows = async (text: string) => (await rig.db.pool.query<Record<string, unknown>>(text)).rows;
const hours = () => rows("SELECT * FROM reading_hour ORDER BY device, metric, bucket");
const minutes = () => rows("SELECT * FROM reading_minute ORDER BY device, metric, bucket");
const rule = (selects: SeriesRule["selects"], pattern: string, days: Partial<Retention>): SeriesRule => {
  return { selects, pattern, raw: null, minutes: null, hours: null, ...days };
};
const STORED = 30 * 30 + 700;

test("a rule takes its series alone out of stored hours, and every rollup stays as it was", async () => {
  const before = [await hours(), await minutes()];
  await set([rule("metric", "x", { raw: 55 })]);
  await retain();
  for (const device of [1, 2]) expect([await readings(device, X), await readings(device, Y)]).toEqual([0, STORED]);
  expect([await hours(), await minutes()]).toEqual(before);
  expect(await rows("SELECT FROM sample WHERE 1 = ANY (metrics)")).toEqual([]);
});

test("what comes late beside what was removed is counted right at every moment, and what was removed doesn't come back", async () => {
  await set([rule("metric", "x", { raw: 55 })]);
  await retain();
  const before = await hours();
  const late = (metrics: number[], at: number): Sample => {
    return { deviceId: 1, time: at, metrics, values: metrics.map(() => 1e6) };
  };
  for (const time of [AUGUST + 7 * HOUR + 1, AUGUST + (31 * 24 + 5) * HOUR + 1]) {
    await expect(write([late([X, Y], time)])).rejects.toMatchObject({
      name: "JustRemovedError",
      message: expect.stringContaining("2026-10-01") as unknown,
    });
    await write([late([Y], time)]);
  }
  const expected = before.map((row) => {
    const isOf =
      row.device === "a" && row.metric === "y" && [7, 749].some((h) => +(row.bucket as Date) === AUGUST + h * HOUR);
    return isOf ? { ...row, count: (row.count as number) + 1, max: 1e6, sum: expect.any(Number) as unknown } : row;
  });
  const same = (found: Record<string, unknown>[]) => found.map(({ last: _, first: __, ...row }) => row);
  expect(same(await hours()), "not merged yet").toEqual(same(expected));
  expect(await rows("SELECT FROM late_hour")).toHaveLength(2);
  await merge();
  expect(same(await hours())).toEqual(same(expected));
  const sums = await rows(
    `SELECT device, metric, sum(count)::integer AS n FROM reading_minute GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  expect(sums.map(({ n }) => n)).toEqual([STORED, STORED + 2, STORED, STORED]);
});

test("the most specific rule holds; what is kept for longest keeps its month, and what no rule names goes by the general times", async () => {
  await set([rule("site", "Lab", {}), rule("metric", "y", { raw: 55, minutes: 55, hours: 55 })], {
    ...{ raw: 55, minutes: 55, hours: null },
  });
  await retain();
  const left = [await readings(1, X), await readings(1, Y), await readings(2, X), await readings(2, Y)];
  expect(left, "x of b alone is of the site, as y goes by its metric").toEqual([0, 0, STORED, 0]);
  const series = (view: string) => rows(`SELECT DISTINCT device, metric FROM ${view} ORDER BY 1, 2`);
  expect(await series("reading_minute")).toEqual([{ device: "b", metric: "x" }]);
  expect(await series("reading_hour")).toEqual([
    { device: "a", metric: "x" },
    { device: "b", metric: "x" },
  ]);
  // Without the rule of the site nothing is kept longer any more: whole months go.
  const [site] = (await readSeriesRules(rig.db.pool)).filter(({ selects }) => selects === "site");
  await withTransaction(rig.db.pool, (tx) => removeSeriesRule(tx, site!.id));
  await retain(rig.cold, Date.now());
  expect(await readings(2, X), "not within ten minutes").toBe(STORED);
  await age();
  await retain();
  expect(await readings(2, X)).toBe(0);
  expect((await series("reading_hour")).map(({ metric }) => metric)).toEqual(["x", "x"]);
});

test("a run that is killed after any step goes on where it was: nothing is lost, nothing taken twice", async () => {
  const before = [await hours(), await minutes()];
  await set([rule("type", "press", { raw: 55 }), rule("metric", "x", { raw: 55 })]);
  let steps = 0;
  for (let killedAt = 1; ; killedAt++) {
    const context = jobContext(rig.db.pool, { now: NOW });
    let step = 0;
    const killing = {
      ...context,
      step: async (work: Parameters<typeof context.step>[0]) => {
        // Before its commit, and after it.
        if (++step === killedAt)
          await withTransaction(rig.db.pool, async (tx) => {
            await work(tx);
            throw new Error("killed");
          });
        await context.step(work);
        if (step === killedAt + 1) throw new Error("killed");
      },
    };
    const job = readingJobs({ days: 0, cold: rig.cold }).find(({ name }) => name === "series-retention")!;
    const ended = await job.run(killing).then(
      () => true,
      () => false,
    );
    expect(await readings(1, Y)).toBe(STORED);
    expect([await hours(), await minutes()]).toEqual(before);
    steps++;
    if (ended) break;
  }
  expect(steps).toBeGreaterThan(3);
  expect([await readings(1, X), await readings(2, X), await readings(2, Y)]).toEqual([0, 0, 0]);
});

test("a month of cold storage loses the series at once, its files with the next move, and is moved once", async () => {
  const before = await hours();
  await rig.move();
  expect(await rows("SELECT FROM sample")).toEqual([]);
  await set([rule("metric", "x", { raw: 55 })]);
  const away = createColdReader(createFolderColdStore("/dev/null/nowhere"), () => NOW);
  await expect(retain(away), "minutes are to be made").rejects.toMatchObject({
    name: "ColdUnavailableError",
    message: expect.stringMatching(/^All else is removed\. Waiting for cold storage, .*: 2 devices\. /) as unknown,
  });
  expect(await readings(1, X)).toBe(STORED);
  await retain();
  for (const device of [1, 2]) expect([await readings(device, X), await readings(device, Y)]).toEqual([0, STORED]);
  const files = () =>
    rows("SELECT name, readings::integer AS readings FROM cold_file WHERE state = 'kept' ORDER BY name");
  const old = await files();
  await rig.move();
  const fresh = await files();
  expect(fresh.map(({ readings: n }) => n)).toEqual([2 * 900, 2 * 700]);
  expect(fresh.some(({ name }) => old.some((one) => one.name === name))).toBe(false);
  await rig.move();
  expect(await files(), "nothing is left to be moved").toEqual(fresh);
  expect(await hours()).toEqual(before);
  expect([await readings(1, X), await readings(1, Y)]).toEqual([0, STORED]);
});

test("a database of the version before comes up with all it had, and no rules", async () => {
  await goBackBefore(rig.db, "20261130300000_series_rules");
  await fill();
  const before = [await hours(), await minutes()];
  await migrate(rig.db.connectionString);
  expect([await hours(), await minutes()]).toEqual(before);
  await rig.db.pool.query("UPDATE device SET rolled_until = NULL");
  await merge();
  expect((await hours()).map(({ count }) => count)).toEqual(before[0]!.map(({ count }) => count));
  expect(await readSeriesRules(rig.db.pool)).toEqual([]);
  await retain();
  expect([await readings(1, X), await readings(2, Y)]).toEqual([STORED, STORED]);
});
