import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyToSeries, mergeReadings, mustReload, type Series, toRows } from "./series";

const series = (over: Partial<Series> = {}): Series => ({
  device: "press-07",
  metric: "temperature",
  unit: "°C",
  kind: "number",
  from: 0,
  to: 100_000,
  resolution: "raw",
  bucketMs: 0,
  points: [],
  newestLive: null,
  ...over,
});

const readings = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 99_999 }), fc.integer({ min: -1000, max: 1000 })), {
  selector: ([time]) => time,
  maxLength: 60,
});

describe("mergeReadings", () => {
  it("puts raw readings in their place and ignores repeats", () => {
    const once = mergeReadings(series(), [
      [10, 1],
      [30, 3],
    ]);
    const twice = mergeReadings(once, [
      [20, 2],
      [30, 99],
    ]);
    expect(twice.points.map((point) => [point.time, point.last])).toEqual([
      [10, 1],
      [20, 2],
      [30, 3],
    ]);
  });

  it("goes on in the buckets the server began", () => {
    const loaded = series({
      bucketMs: 1000,
      points: [{ time: 500, count: 2, mean: 10, min: 8, max: 12, last: 12 }],
    });
    const next = mergeReadings(loaded, [
      [1400, 4],
      [1600, 20],
    ]);
    expect(next.points).toEqual([
      { time: 500, count: 3, mean: 8, min: 4, max: 12, last: 4 },
      { time: 1500, count: 1, mean: 20, min: 20, max: 20, last: 20 },
    ]);
  });

  it("has no seam: however readings arrive in pieces, the buckets are those of all at once", () => {
    fc.assert(
      fc.property(readings, fc.integer({ min: 0, max: 60 }), (all, cut) => {
        const inOrder = [...all].sort((a, b) => a[0] - b[0]);
        const whole = mergeReadings(series({ bucketMs: 5000 }), inOrder);
        const pieces = mergeReadings(
          mergeReadings(series({ bucketMs: 5000 }), inOrder.slice(0, cut)),
          inOrder.slice(cut),
        );
        expect(pieces).toEqual(whole);
        expect(whole.points.reduce((sum, point) => sum + point.count, 0)).toBe(all.length);
        for (const point of whole.points) {
          const inside = inOrder
            .filter(([time]) => time >= point.time && time < point.time + 5000)
            .map(([, value]) => value);
          expect([point.min, point.max, point.last]).toEqual([Math.min(...inside), Math.max(...inside), inside.at(-1)]);
          expect(point.mean).toBeCloseTo(inside.reduce((sum, value) => sum + value, 0) / inside.length, 6);
        }
      }),
    );
  });

  it("keeps event-time order, each time once, for any order of arrival", () => {
    fc.assert(
      fc.property(readings, (all) => {
        const times = mergeReadings(series(), all).points.map((point) => point.time);
        expect(times).toEqual(all.map(([time]) => time).sort((a, b) => a - b));
      }),
    );
  });
});

describe("applyToSeries", () => {
  const frame = (id: string, more = false) => ({
    kind: "devices" as const,
    devices: [
      {
        id,
        lastSeen: 1,
        messages: 1,
        points: { temperature: [[50, 5] as const], other: [[60, 6] as const] },
        texts: {},
        more,
      },
    ],
  });

  it("takes its own device's own metric only", () => {
    expect(applyToSeries(series(), frame("press-07")).points.map((point) => point.last)).toEqual([5]);
    const before = series();
    expect(applyToSeries(before, frame("other"))).toBe(before);
  });

  it("asks to be loaded again when a frame was cut", () => {
    expect(mustReload(series(), frame("press-07", true))).toBe(true);
    expect(mustReload(series(), frame("press-07"))).toBe(false);
  });
});

describe("toRows", () => {
  const point = (time: number, value = 1) => ({ time, count: 1, mean: value, min: value, max: value, last: value });

  it("keeps gaps as gaps and shows a lone point", () => {
    const rows = toRows(series({ points: [0, 10, 20, 30, 500, 900, 910, 920].map((time) => point(time)) }), 0, 1000);
    expect(rows.filter((row) => row.mean === null)).toHaveLength(2);
    expect(rows.filter((row) => row.alone).map((row) => row.time)).toEqual([500]);
  });

  it("leaves out what lies outside of the range", () => {
    const rows = toRows(series({ points: [point(10), point(50), point(90)] }), 40, 60);
    expect(rows.map((row) => row.time)).toEqual([50]);
  });
});
