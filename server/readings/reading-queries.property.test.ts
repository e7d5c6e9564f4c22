import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sample } from "@/server/ports/commit-batch";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { jobContext } from "@/server/testing/job-context";
import { mergeAll, storeSamples } from "@/server/testing/stored-readings";
import type { SeriesPoint } from "./buckets";
import { readFleetSeries } from "./fleet-series";
import { quarterJob } from "./quarters";
import { exportRows } from "./reading-export";
import { readSeries } from "./reading-queries";
import { readSparklines } from "./sparklines";
import { readStrips } from "./strips";
import { countStored } from "./stored";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ORIGIN = Date.UTC(2020, 6, 31, 20);
/** Hours before and after the turn of a month, and one of long ago. */
const HOURS = [0, 1, 2, 4, 5, -100_000];

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const value = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -1000, max: 1000 }).map((n) => n / 8) },
  { weight: 2, arbitrary: fc.constantFrom(-0, 0, 1) },
  { weight: 1, arbitrary: fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, 1e291, 5e-324, 1.5e308) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
);
const metrics = fc.subarray([0, 1, 2], { minLength: 1 });
/** What happens to one device, `at` milliseconds into its hours. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("batch" as const),
      moments: fc.array(
        fc.record({
          hour: fc.constantFrom(...HOURS),
          at: fc.oneof(fc.nat(HOUR - 1), fc.constantFrom(0, 1, MINUTE - 1, MINUTE, HOUR - 1)),
          metrics,
          values: fc.tuple(value, value, value),
        }),
        { minLength: 1, maxLength: 12 },
      ),
    }),
  },
  // So many that the hour gets minutes of its own.
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("dense" as const),
      hour: fc.constantFrom(...HOURS),
      every: fc.integer({ min: 1, max: 5000 }),
      metrics,
      values: fc.tuple(value, value, value),
    }),
  },
  // A row as earlier versions wrote it: one moment, its metrics in the order they came.
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("earlier" as const), hour: fc.constant(6), at: fc.nat(HOUR - 1), value }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("merge" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("quarters" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
const question = fc.record({
  from: fc.integer({ min: -HOUR, max: 8 * HOUR }),
  length: fc.oneof(fc.integer({ min: 1, max: 9 * HOUR }), fc.constant(200_000 * HOUR)),
  maxPoints: fc.constantFrom(1, 7, 100, 1000, 10_000),
  metrics: fc.shuffledSubarray([0, 1, 2], { minLength: 1 }),
});
type Question = typeof question extends fc.Arbitrary<infer Value> ? Value : never;

/** Values by time, a map a metric. */
type Model = readonly Map<number, number>[];

interface ViewRow {
  readonly bucket: Date;
  readonly count: number;
  readonly sum: number | null;
  readonly min: number;
  readonly max: number;
  readonly first: number;
  readonly last: number;
}

/** The metrics' ids are other ones in each run, so that counts over all devices tell of one run. */
let run = 0;

test("whatever is stored in whatever order, every answer is that of all readings", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 14 }),
      fc.array(question, { minLength: 2, maxLength: 4 }),
      async (steps, questions) => {
        const name = `device-${++run}`;
        const { rows } = await db.pool.query<{ id: number }>("INSERT INTO device (name) VALUES ($1) RETURNING id", [
          name,
        ]);
        const device = { id: rows[0]!.id, name };
        for (const metric of [0, 1, 2])
          await db.pool.query("INSERT INTO metric (id, name, kind) VALUES ($1, $2, 'number')", [
            idOf(metric),
            `metric-${idOf(metric)}`,
          ]);
        const model: Model = [0, 1, 2].map(() => new Map<number, number>());
        for (const one of steps) await take(device.id, model, one);
        for (const asked of questions) {
          await compareSeries(device.id, model, asked);
          await compareStrips(device.id, model, asked);
          await compareFleet(device.id, model, asked);
          await compareExports(device.id, model, asked);
        }
        await compareRest(device, model);
        await compareViews(device.name, model);
      },
    ),
    { numRuns: 30, endOnFailure: true },
  );
}, 300_000);

const idOf = (metric: number) => run * 10 + metric;

async function take(device: number, model: Model, one: Step): Promise<void> {
  if (one.do === "merge") return mergeAll(db.pool);
  if (one.do === "quarters") return quarterJob().run(jobContext(db.pool));
  if (one.do === "earlier") {
    const time = ORIGIN + one.hour * HOUR + one.at;
    if (model.some((times) => times.has(time))) return;
    await db.pool.query("INSERT INTO sample (device_id, time, metrics, values) VALUES ($1, $2, $3, $4)", [
      device,
      new Date(time),
      [idOf(2), idOf(0)],
      `{${Object.is(one.value, -0) ? "-0" : one.value},1.5}`,
    ]);
    await db.pool.query("UPDATE device SET last_event_time = greatest(last_event_time, $2) WHERE id = $1", [
      device,
      new Date(time),
    ]);
    model[2]!.set(time, one.value);
    model[0]!.set(time, 1.5);
    return;
  }
  const moments =
    one.do === "batch"
      ? one.moments.map(({ hour, at, ...moment }) => ({ ...moment, time: ORIGIN + hour * HOUR + at }))
      : Array.from({ length: 700 }, (_, i) => {
          const at = (i * one.every) % HOUR;
          const values = one.values.map((value) => (i % 3 === 0 ? value : i));
          return { metrics: one.metrics, values, time: ORIGIN + one.hour * HOUR + at };
        });
  const samples: Sample[] = [];
  for (const { time, metrics, values } of moments) {
    samples.push({ deviceId: device, time, metrics: metrics.map(idOf), values: metrics.map((m) => values[m]!) });
    for (const m of metrics) if (!model[m]!.has(time)) model[m]!.set(time, values[m]!);
  }
  await storeSamples(db.pool, samples);
}

type Reading = readonly [time: number, value: number];

function within(model: Model, metric: number, from: number, to: number): Reading[] {
  return [...model[metric]!].filter(([time]) => time >= from && time < to).sort(([a], [b]) => a - b);
}

/** Readings in buckets, as they should be told. */
function bucketed(readings: readonly Reading[], bucketMs: number): Map<number, Reading[]> {
  const buckets = new Map<number, Reading[]>();
  for (const reading of readings) {
    const start = reading[0] - (reading[0] % bucketMs);
    const own = buckets.get(start);
    if (own) own.push(reading);
    else buckets.set(start, [reading]);
  }
  return buckets;
}

function meanOf(readings: readonly Reading[]): number {
  return readings.reduce((sum, [, value]) => sum + value / readings.length, 0);
}

function expectPoint(point: SeriesPoint, readings: readonly Reading[]): void {
  const values = readings.map(([, value]) => value);
  const [min, max] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  expect([point.count, point.min + 0, point.max + 0]).toEqual([values.length, min + 0, max + 0]);
  expect(point.last).toBe(values.at(-1));
  const mean = meanOf(readings);
  const size = Math.max(Math.abs(min), Math.abs(max));
  expect(Math.abs(point.mean / 2 - mean / 2)).toBeLessThanOrEqual(size * 1e-12 + 1e-320);
  expect(point.mean >= min && point.mean <= max).toBe(true);
}

function expectPoints(points: readonly SeriesPoint[], readings: readonly Reading[], bucketMs: number): void {
  const wanted = bucketMs === 0 ? new Map(readings.map((one) => [one[0], [one]])) : bucketed(readings, bucketMs);
  expect(points.map(({ time }) => time)).toEqual([...wanted.keys()]);
  for (const point of points) expectPoint(point, wanted.get(point.time)!);
}

async function compareSeries(
  device: number,
  model: Model,
  { from, length, maxPoints, metrics }: Question,
): Promise<void> {
  const range = { from: ORIGIN + from, to: ORIGIN + from + length };
  for (const resolution of ["auto", "raw", "minute", "hour"] as const) {
    const query = { sites: "all", device, metric: idOf(metrics[0]!), ...range, resolution, maxPoints } as const;
    const series = await readSeries(db.pool, query);
    // Points of rollups are whole buckets: the answer says what they cover.
    const covered = series.resolution === "raw" ? range : { from: series.from, to: series.to };
    expect(covered.from <= range.from && covered.to >= range.to).toBe(true);
    const readings = within(model, metrics[0]!, covered.from, covered.to);
    expect(series.points.length).toBeLessThanOrEqual(maxPoints);
    expectPoints(series.points, readings, series.bucketMs);
    expect(series.latest).toBe(readings.at(-1)?.[0] ?? null);
  }
}

async function compareStrips(device: number, model: Model, { from, length, maxPoints }: Question): Promise<void> {
  const range = { from: ORIGIN + from, to: ORIGIN + from + length };
  const strips = await readStrips(db.pool, { sites: "all", device, ...range, maxPoints });
  expect(strips.from <= range.from && strips.to >= range.to).toBe(true);
  for (const metric of [0, 1, 2]) {
    const readings = within(model, metric, strips.from, strips.to);
    const found = strips.points.get(idOf(metric));
    expectPoints(found?.points ?? [], readings, strips.bucketMs);
    expect(found?.latest ?? null).toBe(readings.at(-1)?.[0] ?? null);
    expect(found?.points.length ?? 0).toBeLessThanOrEqual(maxPoints);
  }
}

async function compareFleet(device: number, model: Model, { from, length, maxPoints }: Question): Promise<void> {
  const range = { from: ORIGIN + from, to: ORIGIN + from + length };
  for (const withLast of [true, false]) {
    const query = { sites: "all", devices: [device], metric: idOf(1), ...range, steps: { most: maxPoints } } as const;
    const { series, bucketMs, ...covered } = await readFleetSeries(db.pool, { ...query, withLast });
    expect(covered.from <= range.from && covered.to >= range.to).toBe(true);
    const readings = within(model, 1, covered.from, covered.to);
    const own = series.get(device);
    const lasts = new Map([...bucketed(readings, bucketMs)].map(([time, of]) => [time, of.at(-1)![1]]));
    const points = own?.points ?? [];
    expectPoints(
      withLast ? points : points.map((point) => ({ ...point, last: lasts.get(point.time)! })),
      readings,
      bucketMs,
    );
    expect(own && [own.lastAt, own.last]).toEqual(readings.at(-1) && [...readings.at(-1)!]);
    expect(points.length).toBeLessThanOrEqual(maxPoints);
  }
}

async function compareExports(device: number, model: Model, { from, length, metrics }: Question): Promise<void> {
  const range = { from: ORIGIN + from, to: ORIGIN + from + length };
  for (const [source, width] of [
    ["raw", 1],
    ["minute", MINUTE],
    ["hour", HOUR],
  ] as const) {
    const query = { sites: "all", device, metrics: metrics.map(idOf), ...range } as const;
    const rows = [];
    for await (const chunk of exportRows(db.pool, source, query)) rows.push(...chunk);
    const [first, end] = [range.from, range.to].map((time) => Math.ceil(time / width) * width) as [number, number];
    expect(rows.map(({ time }) => time)).toEqual(
      [...new Set(metrics.flatMap((metric) => [...bucketed(within(model, metric, first, end), width).keys()]))].sort(
        (a, b) => a - b,
      ),
    );
    for (const [i, metric] of metrics.entries())
      expectPoints(
        rows.flatMap(({ cells }) => cells[i] ?? []),
        within(model, metric, first, end),
        source === "raw" ? 0 : width,
      );
  }
}

async function compareRest(device: { id: number; name: string }, model: Model): Promise<void> {
  for (const [metric, values] of model.entries()) {
    expect(await countStored(db.pool, idOf(metric), 10_000)).toEqual({
      devices: values.size > 0 ? 1 : 0,
      readings: values.size,
    });
    const from = ORIGIN + 30 * MINUTE;
    const query = { sites: "all", devices: [device.name], metric: idOf(metric), from, minutes: 180 } as const;
    const line = (await readSparklines(db.pool, query)).get(device.name) ?? [];
    const buckets = bucketed(within(model, metric, from, from + 180 * MINUTE), MINUTE);
    expect(line.flatMap((mean, i) => (mean === null ? [] : [from + i * MINUTE]))).toEqual([...buckets.keys()]);
    for (const [time, readings] of buckets) {
      const size = readings.reduce((most, [, value]) => Math.max(most, Math.abs(value)), 0);
      expect(Math.abs(line[(time - from) / MINUTE]! / 2 - meanOf(readings) / 2)).toBeLessThanOrEqual(
        size * 1e-12 + 1e-320,
      );
    }
  }
}

/** The views, for people who write SQL, tell the same. */
async function compareViews(name: string, model: Model): Promise<void> {
  for (const metric of model.keys()) {
    const all = within(model, metric, -Infinity, Infinity);
    const ask = (sql: string) => db.pool.query<ViewRow>(sql, [name, `metric-${idOf(metric)}`]);
    const { rows: readings } = await ask(
      "SELECT time AS bucket, value AS last FROM reading WHERE device = $1 AND metric = $2 ORDER BY time",
    );
    expect(readings.map(({ bucket, last }) => [bucket.getTime(), last])).toEqual(all);
    for (const [view, width] of [
      ["reading_minute", MINUTE],
      ["reading_hour", HOUR],
    ] as const) {
      const { rows } = await ask(
        `SELECT bucket, count, sum, min, max, first, last FROM ${view} WHERE device = $1 AND metric = $2 ORDER BY bucket`,
      );
      const buckets = bucketed(all, width);
      expectPoints(
        rows.map(({ bucket, count, sum, min, max, last }) => {
          // Of a bucket whose readings could add up past the doubles there is no sum.
          const mean =
            sum === null ? meanOf(buckets.get(bucket.getTime())!) : Math.min(max, Math.max(min, sum / count));
          return { time: bucket.getTime(), count, mean, min, max, last };
        }),
        all,
        width,
      );
      expect(rows.map(({ first }) => first)).toEqual([...buckets.values()].map(([first]) => first![1]));
    }
  }
}
