import { afterEach, beforeEach, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { jobContext, runKilled } from "@/server/testing/job-context";
import { mergeAll, storeSamples } from "@/server/testing/stored-readings";
import { readFleetSeries } from "./fleet-series";
import { QUARTER, quarterJob } from "./quarters";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 1);

let db: TestDatabase;
beforeEach(async () => {
  db = await freshDatabase();
  await db.pool.query(
    "INSERT INTO device (name) VALUES ('a'), ('b'); INSERT INTO metric (name, kind) VALUES ('m', 'number')",
  );
});
afterEach(() => db.drop());

/** A reading of both devices in each of some hours. */
async function store(hours: number, value = 1, at = 0): Promise<void> {
  await storeSamples(
    db.pool,
    Array.from({ length: 2 * hours }, (_, i) => {
      return { deviceId: 1 + (i % 2), time: START + Math.floor(i / 2) * HOUR + at, metrics: [1], values: [value] };
    }),
  );
}

const due = async () => (await db.pool.query("SELECT FROM quarter_due")).rowCount;
const made = async () =>
  (await db.pool.query<{ n: number }>("SELECT counts[1] AS n FROM rollup_quarter ORDER BY device_id, bucket")).rows.map(
    ({ n }) => n,
  );
const make = () => quarterJob().run(jobContext(db.pool));
const counts = async (device = 1) => {
  const query = { sites: "all", devices: [device], metric: 1, from: START, to: START + 4 * QUARTER } as const;
  const { series } = await readFleetSeries(db.pool, { ...query, steps: { bucketMs: QUARTER }, withLast: false });
  return series.get(device)?.points.map(({ count, max }) => [count, max]);
};

// The last hour of each device is under way, and not merged.
test("quarters are made of the hours, and late readings are in the answer before they are in the quarter", async () => {
  await store(13);
  await mergeAll(db.pool);
  expect([await due(), await made()]).toEqual([4, []]);
  const before = await counts();
  expect(before).toEqual([
    [6, 1],
    [6, 1],
    [1, 1],
  ]);
  await make();
  expect([await due(), await made(), await counts()]).toEqual([0, [6, 6, 6, 6], before]);
  const after = [[7, 9], ...before!.slice(1)];
  await store(1, 9, 5000);
  expect(await counts()).toEqual(after);
  await mergeAll(db.pool);
  expect([await due(), await made(), await counts()]).toEqual([2, [6, 6, 6, 6], after]);
  await make();
  expect([await due(), await made(), await counts()]).toEqual([0, [7, 6, 7, 6], after]);
});

test("what is taken out of the hours is out of the answer at once, and of the quarters", async () => {
  await store(7);
  await mergeAll(db.pool);
  await make();
  await db.pool.query("DELETE FROM rollup_hour WHERE device_id = 1");
  expect([await made(), await counts(1), await counts(2)]).toEqual([
    [6, 6],
    [[1, 1]],
    [
      [6, 1],
      [1, 1],
    ],
  ]);
  await make();
  expect(await made()).toEqual([6]);
  // What retention has said is gone isn't told of, though its rows are still there.
  const gone = [new Date(START + QUARTER)];
  await db.pool.query("INSERT INTO retention_edge (keeps, gone_before) VALUES ('hours', $1)", gone);
  expect(await counts(2)).toEqual([[1, 1]]);
});

test("a run that is killed is done anew, and nothing is lost of it", async () => {
  await store(13);
  await mergeAll(db.pool);
  await runKilled(quarterJob(), jobContext(db.pool), 0);
  expect([await due(), await made()]).toEqual([4, []]);
  await make();
  expect([await due(), await made()]).toEqual([0, [6, 6, 6, 6]]);
});

test("hours of the version before are due after the upgrade", async () => {
  await goBackBefore(db, "20261205000000_quarters");
  await db.pool.query(
    `INSERT INTO device (name, rolled_until) VALUES ('a', '2026-04-01Z'); INSERT INTO metric (name, kind) VALUES ('m', 'number');
     INSERT INTO rollup_hour (device_id, bucket, metrics, counts, sums, mins, maxs, firsts, first_at, lasts, last_at)
     SELECT 1, '2026-03-01Z'::timestamptz + h * interval '1 hour', '{1}', '{2}', '{3}', '{1}', '{2}', '{1}', '{0}', '{2}', '{9}' FROM generate_series(0, 6) h`,
  );
  await migrate(db.connectionString);
  const before = [
    [12, 2],
    [2, 2],
  ];
  expect([await due(), await counts()]).toEqual([2, before]);
  await make();
  expect([await due(), await made(), await counts()]).toEqual([0, [12, 2], before]);
});
