import { afterAll, beforeAll, expect, test } from "vitest";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { noIngestCounts, readRejected, removeIngestRatesBefore, writeIngestRates } from "@/server/ingest/ingest-rates";
import { addRun, removeStageRatesBefore, type StageCounts, writeStageRates } from "./stage-rates";
import { readStages } from "./stages-state";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const NOW = Date.UTC(2026, 10, 24, 12, 0, 3);
const END = Date.UTC(2026, 10, 24, 12, 0, 0);

test("nothing known: no bucket, and a minute of nothing", async () => {
  expect(await readStages(db.pool, 15, NOW)).toMatchObject({
    to: END,
    bucketMs: 5000,
    buckets: [],
    minute: { ms: 60_000, messages: 0, total: null, stages: {}, rejected: {} },
  });
});

test("what workers and the route wrote comes back by bucket and for the last minute", async () => {
  const counts: StageCounts = new Map();
  addRun(counts, "decode", { ms: 2, messages: 100, bytes: 5000 });
  addRun(counts, "decode", { ms: 6, messages: 300, bytes: 15_000 });
  addRun(counts, "wait", { ms: 0.01, messages: 1, bytes: 50 });
  const bucket = END - 10_000;
  await writeStageRates(db.pool, "one", [{ bucket, counts }]);
  await writeStageRates(db.pool, "two", [{ bucket, counts }]);
  // Written again after an outcome that wasn't known: counted once.
  await writeStageRates(db.pool, "two", [{ bucket, counts }]);
  const route = { ...noIngestCounts(), accepted: 7 };
  route.rejected.set("badTime", 2).set("noDevice", 1);
  route.requests.set("too-busy", 4);
  await writeIngestRates(db.pool, [{ bucket, counts: route }]);
  await writeIngestRates(db.pool, [{ bucket: bucket + 5000, counts: route }]);
  await db.pool.query(
    `INSERT INTO pipeline_rate (bucket, cluster, topic, partition, messages, readings, duplicates, dead_letters, latencies, late)
     VALUES ($1, 'c', 't', 0, 10, 20, 1, 0, '{0,0,0,10}', 3), ($1, 'c', 't', 1, 5, 6, 0, 2, '{0,0,0,0,5}', 0)`,
    [new Date(bucket)],
  );
  await db.pool.query(`INSERT INTO pipeline_refused VALUES ($1, 'c', 't', 1, 'typeDrift', 2)`, [new Date(bucket)]);

  const { buckets, recent, minute, from, to } = await readStages(db.pool, 15, NOW);
  expect([from, to]).toEqual([END - 15 * 60_000, END]);
  expect(buckets.map(({ time, ms }) => [time, ms])).toEqual([
    [bucket, 5000],
    [bucket + 5000, 5000],
  ]);
  expect(buckets[0]).toMatchObject({
    ...{ accepted: 7, rejected: { badTime: 2, noDevice: 1 }, requests: { "too-busy": 4 } },
    ...{ messages: 15, readings: 26, duplicates: 1, late: 3, deadLetters: { typeDrift: 2 } },
  });
  expect(buckets[0]!.total!.p50Ms).toBeCloseTo(7);
  expect(buckets[0]!.stages.decode).toMatchObject({ runs: 4, messages: 800, bytes: 40_000, maxMs: 6, messageMs: 5 });
  expect(buckets[0]!.stages.decode!.p99Ms).toBe(6);
  expect(buckets[0]!.stages.wait).toMatchObject({ runs: 2, maxMs: 0.01, p99Ms: 0.01 });
  expect(buckets[1]).toMatchObject({ accepted: 7, messages: 0, total: null, stages: {} });
  expect(recent).toMatchObject({ time: bucket, ms: 10_000, accepted: 14, messages: 15 });
  expect(minute).toMatchObject({
    time: bucket,
    ms: 10_000,
    accepted: 14,
    messages: 15,
    rejected: { badTime: 4, noDevice: 2 },
  });
});

test("a day is at most 300 buckets, the newest as far as it has come", async () => {
  const { buckets, bucketMs, to } = await readStages(db.pool, 1440, NOW + 65_000);
  expect(bucketMs).toBe(300_000);
  expect(to).toBe(END + 60_000 + 5000);
  expect(buckets.map(({ ms, accepted }) => [ms, accepted])).toEqual([
    [300_000, 14],
    [65_000, 0],
  ]);
});

test("retention keeps the sum of all time", async () => {
  expect(await readRejected(db.pool)).toBe(6);
  await withTransaction(db.pool, async (tx) => {
    expect(await removeIngestRatesBefore(tx, END, 5)).toBe(5);
    expect(await removeIngestRatesBefore(tx, END, 5)).toBe(3);
    expect(await removeStageRatesBefore(tx, END, 5)).toBe(4);
  });
  expect(await readRejected(db.pool)).toBe(6);
});
