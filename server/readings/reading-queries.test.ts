import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { mergeAll, storeSamples } from "@/server/testing/stored-readings";
import { readSeries, type SeriesQuery } from "./reading-queries";
import type { Sample } from "@/server/ports/commit-batch";
import { writeSamples } from "./samples";
import { withTransaction } from "@/server/postgres/transaction";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 9, 1, 0, 30);
const COUNT = 20_000;
/** Ten days, a reading every 43.2 s; metric 2 in every tenth sample only. */
const samples: Sample[] = Array.from({ length: COUNT }, (_, i) => ({
  deviceId: 1,
  time: START + i * 43_200,
  metrics: i % 10 === 0 ? [1, 2] : [1],
  values: i % 10 === 0 ? [Math.sin(i / 300) * 10 + (i % 7), i] : [Math.sin(i / 300) * 10 + (i % 7)],
}));
const END = samples.at(-1)!.time + 1;

let db: TestDatabase;
const read = (query: Partial<Omit<SeriesQuery, "sites">>) =>
  readSeries(db.pool, {
    sites: "all",
    device: 1,
    metric: 1,
    from: START,
    to: END,
    resolution: "auto",
    maxPoints: 300,
    ...query,
  });
/** The values of the metric every sample has. */
const valuesIn = (from: number, to: number) => {
  const index = (time: number) => Math.max(0, Math.ceil((time - START) / 43_200));
  return samples.slice(index(from), index(to)).map(({ values }) => values[0]!);
};

beforeAll(async () => {
  db = await freshDatabase();
  await withTransaction(db.pool, async (client) => {
    await writeSamples(client, samples, new Map());
  });
  await db.pool.query("ANALYZE");
});
afterAll(() => db.drop());

test("auto answers with the readings themselves when they fit", async () => {
  const series = await read({ from: START, to: START + HOUR });
  expect(series).toMatchObject({ resolution: "raw", bucketMs: 0, from: START, to: START + HOUR });
  expect(series.points.map(({ last }) => last)).toEqual(valuesIn(START, START + HOUR));
  expect(series.points[0]).toMatchObject({ time: START, count: 1, mean: series.points[0]!.min });
});

test("a sparse metric fits although its device reports often", async () => {
  const series = await read({ metric: 2, maxPoints: 2500 });
  expect(series.resolution).toBe("raw");
  expect(series.points).toHaveLength(COUNT / 10);
});

describe.each([
  ["auto", 300, "hour"],
  ["auto", 5000, "minute"],
  ["auto", 10, "hour"],
  ["minute", 300, "minute"],
  ["hour", 10_000, "hour"],
  ["raw", 300, "hour"],
  ["raw", 10_000, "minute"],
] as const)("%s with %i points", (resolution, maxPoints, made) => {
  test("keeps count, sum, extremes and the last reading of every bucket", async () => {
    const series = await read({ resolution, maxPoints });
    expect(series.resolution).toBe(made);
    expect(series.points.length).toBeLessThanOrEqual(maxPoints);
    for (const point of series.points) {
      const values = valuesIn(point.time, point.time + series.bucketMs);
      expect(point.count).toBe(values.length);
      expect(point.min).toBe(Math.min(...values));
      expect(point.max).toBe(Math.max(...values));
      expect(point.last).toBe(values.at(-1));
      expect(point.mean).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 9);
    }
    expect(series.points.reduce((sum, { count }) => sum + count, 0)).toBe(COUNT);
  });
});

describe("a reading a second", () => {
  const DENSE = 110_000;
  const value = (i: number) => ((i * 7919) % 1000) / 10;
  const dense: Sample[] = Array.from({ length: DENSE }, (_, i) => {
    return { deviceId: 3, time: START + i * 1000, metrics: [1], values: [value(i)] };
  });
  beforeAll(async () => {
    await db.pool.query(`INSERT INTO device (id, name, last_seen) VALUES (3, 'dense', '2026-11-01T00:00:00.123Z')`);
    await withTransaction(db.pool, async (client) => {
      await writeSamples(client, dense, new Map());
    });
  });
  const of = (query: Partial<Omit<SeriesQuery, "sites">>) =>
    read({ device: 3, from: START, to: START + DENSE * 1000, ...query });

  test("is drawn from the readings while they are few, in buckets below a minute", async () => {
    const from = START + 123_456;
    const series = await of({ from, to: from + HOUR, maxPoints: 300 });
    expect(series).toMatchObject({ resolution: "raw", bucketMs: 15_000, from });
    for (const point of series.points) {
      const begin = Math.max(point.time, from);
      const end = Math.min(point.time + 15_000, from + HOUR);
      const first = Math.ceil((begin - START) / 1000);
      const inside = Array.from({ length: Math.ceil((end - START) / 1000) - first }, (_, i) => value(first + i));
      expect([point.count, point.min, point.max, point.last]).toEqual([
        inside.length,
        Math.min(...inside),
        Math.max(...inside),
        inside.at(-1),
      ]);
    }
  });

  test("is never read one by one beyond the bound, whatever is asked for", async () => {
    const series = await of({ resolution: "raw", maxPoints: 10_000 });
    expect(series).toMatchObject({ resolution: "minute", bucketMs: 60_000 });
    expect(series.points.reduce((sum, { count }) => sum + count, 0)).toBe(DENSE);
  });

  test.each(["auto", "raw", "minute", "hour"] as const)(
    "%s says up to which reading and message it counts",
    async (resolution) => {
      const to = START + 7200_500;
      const { latest, lastSeen } = await of({ to, resolution });
      const covered =
        resolution === "hour"
          ? START + 2.5 * HOUR - 1000
          : resolution === "minute"
            ? START + 7259_000
            : START + 7200_000;
      expect(latest).toBe(covered);
      expect(lastSeen).toBe(Date.UTC(2026, 10, 1, 0, 0, 0, 123));
      expect(await of({ from: 0, to: HOUR, resolution })).toMatchObject({ latest: null, points: [] });
    },
  );
});

test("rollup buckets at the ends are whole, and the answer says how far it reaches", async () => {
  const from = START + 10 * 60_000 + 1;
  const to = from + 100 * HOUR;
  const series = await read({ from, to, resolution: "hour" });
  expect(series.from % HOUR).toBe(0);
  expect(series.from).toBeLessThanOrEqual(from);
  expect(series.to).toBeGreaterThanOrEqual(to);
  expect(series.points.reduce((sum, { count }) => sum + count, 0)).toBe(valuesIn(series.from, series.to).length);
});

test("a range of decades is drawn at the detail of where there is data", async () => {
  const series = await read({ from: 0, to: Date.UTC(2100, 0) });
  expect(series.points.length).toBeGreaterThan(100);
  expect(series.points.length).toBeLessThanOrEqual(300);
});

test("nothing in the range is no points", async () => {
  expect((await read({ from: 0, to: HOUR })).points).toEqual([]);
  expect((await read({ device: 2 })).points).toEqual([]);
});

test("where readings or minutes are kept for a shorter time than hours, what is left answers", async () => {
  await db.pool.query(`INSERT INTO device (id, name) VALUES (7, 'kept')`);
  const every = 5000;
  const times = Array.from({ length: 3000 }, (_, i) => START + i * every);
  await storeSamples(
    db.pool,
    times.map((time, i) => ({ deviceId: 7, time, metrics: [1], values: [i] })),
  );
  await mergeAll(db.pool);
  const of = async (resolution: "auto" | "minute") => {
    const series = await read({ device: 7, from: START + HOUR, to: START + 2 * HOUR, resolution, maxPoints: 200 });
    return [series.resolution, series.points.reduce((sum, { count }) => sum + count, 0)];
  };
  expect([await of("auto"), await of("minute")]).toEqual([
    ["raw", 720],
    ["minute", 720],
  ]);
  await db.pool.query("DELETE FROM sample WHERE device_id = 7 AND time < $1", [new Date(START + 3.5 * HOUR)]);
  expect([await of("auto"), await of("minute")]).toEqual([
    ["minute", 720],
    ["minute", 720],
  ]);
  await db.pool.query("DELETE FROM rollup_minute WHERE device_id = 7 AND bucket < $1", [new Date(START + 3.5 * HOUR)]);
  expect([await of("auto"), await of("minute")]).toEqual([
    ["hour", 1440],
    ["hour", 1440],
  ]);
  const silent = await read({ device: 7, metric: 2, from: START + HOUR, to: START + 2 * HOUR });
  expect(silent).toMatchObject({ resolution: "raw", points: [] });
});
