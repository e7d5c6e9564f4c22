import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LiveDevice } from "@/server/contracts/live";
import { applyToSeries, changeOnly, heldBefore, mergeReadings, mustReload, type Series, toStretches } from "./series";

const series = (over: Partial<Series> = {}): Series => ({
  device: "press-07",
  metric: "temperature",
  unit: "°C",
  kind: "number",
  from: 0,
  to: 100_000,
  resolution: "raw",
  cold: "none",
  bucketMs: 0,
  points: [],
  latest: null,
  before: null,
  lastSeen: null,
  isPastLoad: false,
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

  it("keeps a mean between values from the ends of a double", () => {
    const loaded = series({ bucketMs: 60_000 });
    const { MAX_VALUE } = Number;
    const next = mergeReadings(
      loaded,
      [MAX_VALUE, -MAX_VALUE, MAX_VALUE].map((value, i) => [i, value] as const),
    );
    expect(next.points).toMatchObject([{ count: 3, min: -MAX_VALUE, max: MAX_VALUE }]);
    expect(next.points[0]!.mean / MAX_VALUE).toBeCloseTo(1 / 3, 12);
    expect(
      mergeReadings(loaded, [
        [0, MAX_VALUE],
        [1, MAX_VALUE],
      ]).points[0]!.mean,
    ).toBe(MAX_VALUE);
  });

  it("takes no reading for a metric that a frame doesn't name, whatever its name", () => {
    const frame = {
      id: "press-07",
      lastSeen: 1,
      messages: 1,
      points: { other: [[1, 2]] },
      texts: {},
      more: false,
    } as const;
    const loaded = series({ metric: "toString" });
    expect(applyToSeries(loaded, { kind: "devices", devices: [frame] }).points).toEqual([]);
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
    expect(mustReload([series()], frame("press-07", true))).toBe(true);
    expect(mustReload([series()], frame("press-07"))).toBe(false);
  });
});

describe("a history loaded in the middle of a live stream", () => {
  const WIDTH = 5000;
  /** Recounts these readings. */
  const recount = (readings: readonly (readonly [number, number])[]) =>
    mergeReadings(series({ bucketMs: WIDTH }), readings).points;
  const asFrame = (batch: readonly (readonly [number, number])[], lastSeen: number) => {
    const device: LiveDevice = {
      id: "press-07",
      lastSeen,
      messages: 1,
      points: { temperature: batch.toSorted((a, b) => a[0] - b[0]) },
      texts: {},
      more: false,
    };
    return { kind: "devices" as const, devices: [device] };
  };
  /** Answers as the server would once `done` batches are committed. */
  const loaded = (batches: readonly (readonly (readonly [number, number])[])[], done: number) => {
    const counted = batches.slice(0, done).flat();
    return series({
      bucketMs: WIDTH,
      points: recount(counted),
      latest: counted.length > 0 ? Math.max(...counted.map(([time]) => time)) : null,
      lastSeen: done > 0 ? done : null,
    });
  };
  const sums = (points: Series["points"]) =>
    points.map(({ time, count, mean, min, max, last }) => [
      time,
      count,
      Math.round(mean * count * 1e6),
      min,
      max,
      last,
    ]);

  const stream = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: -100, max: 100 })), {
      minLength: 1,
      maxLength: 50,
    })
    .map((steps) => {
      let time = 0;
      return steps.map(([step, value]) => [(time += step), value] as const);
    });

  it("counts each reading once, wherever loading and the frames' edges fall", () => {
    fc.assert(
      fc.property(stream, fc.nat(20), fc.integer({ min: 1, max: 4 }), fc.nat(60), (readings, again, size, cut) => {
        // Each reading is a commit of its own; its ingest time is its number.
        const batches = readings.map((reading) => [reading]);
        const done = Math.min(cut, batches.length);
        let state = loaded(batches, done);
        // Frames conflate several commits; the first may reach back to before loading.
        for (let at = Math.max(0, done - again); at < batches.length; at += size) {
          const end = Math.min(batches.length, at + size);
          state = applyToSeries(state, asFrame(batches.slice(at, end).flat(), end));
        }
        expect(sums(state.points)).toEqual(sums(recount(readings)));
      }),
    );
  });

  it("takes late readings that come after it, and does not count those it holds again", () => {
    const batches = [[[1000, 1]], [[9000, 2]], [[12_000, 3]], [[2000, 4]]] as [number, number][][];
    let state = loaded(batches, 2);
    state = applyToSeries(state, asFrame(batches[1]!, 2));
    expect(sums(state.points)).toEqual(sums(recount(batches.slice(0, 2).flat())));
    state = applyToSeries(state, asFrame(batches[2]!, 3));
    state = applyToSeries(state, asFrame(batches[3]!, 4));
    expect(state.points.map(({ time, count }) => [time, count])).toEqual([
      [0, 2],
      [5000, 1],
      [10_000, 1],
    ]);
  });
});

describe("toStretches", () => {
  const point = (time: number, value = 1) => ({ time, count: 1, mean: value, min: value, max: value, last: value });
  const times = (over: Partial<Series>, from: number, to: number) =>
    toStretches(series(over), from, to).map((stretch) => stretch.map(({ time }) => time));

  it("keeps gaps as gaps and marks a lone point", () => {
    const points = [0, 10, 20, 30, 500, 900, 910, 920].map((time) => point(time));
    expect(times({ points }, 0, 1000)).toEqual([[0, 10, 20, 30], [500], [900, 910, 920]]);
    expect(toStretches(series({ points }), 0, 1000)[1]![0]).toMatchObject({ alone: true, start: 500 });
  });

  it("leaves out what lies outside of the range, and draws a bucket in its middle", () => {
    expect(times({ points: [point(10), point(50), point(90)] }, 40, 60)).toEqual([[50]]);
    expect(times({ bucketMs: 10, points: [point(10), point(20), point(30)] }, 0, 33)).toEqual([[15, 25, 33]]);
  });
});

describe("what is sent only when it changes", () => {
  const every = (step: number, value: (i: number) => number, over: Partial<Series>) =>
    mergeReadings(
      series(over),
      Array.from({ length: 60_000 / step }, (_, i) => [i * step, value(i)] as const),
    );
  const often = every(1000, (i) => i % 7, { metric: "temperature" });

  it("is a number that comes seldom and never twice the same; not one that repeats itself or comes with every message", () => {
    const changing = every(10_000, (i) => i, { metric: "setpoint" });
    const repeating = every(10_000, (i) => Math.floor(i / 2), { metric: "battery" });
    const flag = every(20_000, () => 1, { metric: "door", kind: "boolean" });
    expect(changeOnly([often, changing, repeating, flag])).toEqual(["setpoint", "door"]);
    expect(changeOnly([changing])).toEqual([]);
    expect(changeOnly(undefined)).toEqual([]);
  });

  it("holds over any gap, and until its device was heard last", () => {
    const setpoint = mergeReadings(series(), [
      [1000, 1],
      [2000, 2],
      [60_000, 3],
    ]);
    const [stretch, ...more] = toStretches(setpoint, 0, 100_000, 90_000, true);
    expect(more).toEqual([]);
    expect(stretch!.map(({ time, value }) => [time, value])).toEqual([
      [1000, 1],
      [2000, 2],
      [60_000, 3],
      [90_000, 3],
    ]);
  });

  it("takes a flag's value from before the range when it hasn't changed since, and nothing else's", () => {
    const door = series({ metric: "door", kind: "boolean" });
    const current = { value: true, time: new Date(500).toISOString() };
    expect(toStretches(heldBefore(door, current, 10_000), 10_000, 20_000, 18_000)[0]).toMatchObject([
      { time: 10_000, value: 1 },
      { time: 18_000, value: 1 },
    ]);
    expect(heldBefore(door, current, 400)).toBe(door);
    expect(heldBefore(series(), current, 10_000).before).toBeNull();
  });

  it("has at the beginning of the range what it had before, which came when it came", () => {
    const before = { time: 500, value: 1 };
    const door = mergeReadings(series({ kind: "boolean", before }), [[15_000, 0]]);
    const drawn = (over: Partial<Series>, from: number, heldUntil: number | null = 18_000) =>
      toStretches({ ...door, ...over }, from, 20_000, heldUntil).map((stretch) =>
        stretch.map(({ time, start, value }) => [time, start, value]),
      );
    expect(drawn({}, 10_000)).toEqual([
      [
        [10_000, 500, 1],
        [15_000, 15_000, 0],
        [18_000, 15_000, 0],
      ],
    ]);
    // What has left a range that goes on is what came before it.
    expect(drawn({}, 16_000)).toEqual([
      [
        [16_000, 15_000, 0],
        [18_000, 15_000, 0],
      ],
    ]);
    // A device that was heard last before the range holds nothing in it, and one whose value comes right at its beginning nothing else.
    expect(drawn({ points: [] }, 10_000, 9000)).toEqual([]);
    expect(drawn({ before: null, points: [] }, 10_000)).toEqual([]);
    expect(drawn({}, 15_000)[0]![0]).toEqual([15_000, 15_000, 0]);
    expect(drawn({ kind: "number" }, 10_000)).toEqual([[[15_000, 15_000, 0]]]);
  });
});
