import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Flag } from "./checks";
import { DEFAULT_LIMITS, newSeries, type SeriesLimits, stepSeries } from "./series-checks";

const SECOND = 1000;
const DAY = 86_400_000;

/** Noise in (-1, 1), the same every time. */
function createNoise(seed = 1): () => number {
  let state = seed;
  return () => ((state = (state * 1103515245 + 12345) % 2147483648) / 2147483648 - 0.5) * 2;
}

/** A value every two seconds, to hundredths. */
function series(length: number, at: (i: number, noise: number) => number): { time: number; value: number }[] {
  const noise = createNoise();
  return Array.from({ length }, (_, i) => ({ time: i * 2 * SECOND, value: Math.round(at(i, noise()) * 100) / 100 }));
}

/** The flags of a series, each with its last end. */
function flagsOf(readings: readonly { time: number; value: number }[], limits: Partial<SeriesLimits> = {}): Flag[] {
  const state = newSeries();
  const flags = new Map<string, Flag>();
  for (const { time, value } of readings)
    stepSeries(state, 0, time, value, { ...DEFAULT_LIMITS, ...limits }, (flag) =>
      flags.set(`${flag.check} ${flag.from}`, flag),
    );
  return [...flags.values()];
}

const lively = (length: number) => series(length, (i, noise) => 20 + 3 * Math.sin(i / 200) + 0.2 * noise);

describe("the checks of a series", () => {
  it("flag nothing of a lively one, of one that is always the same, and of one that switches", () => {
    expect(flagsOf(lively(5000))).toEqual([]);
    expect(flagsOf(series(5000, () => 4))).toEqual([]);
    expect(flagsOf(series(5000, (i) => (i % 500 < 225 ? 3200 : 150)))).toEqual([]);
    expect(flagsOf(series(5000, (i, noise) => (i % 2000 < 900 ? 0 : 50 + 5 * noise)))).toEqual([]);
  });

  it("flag nothing of one whose values turn slowly, though they repeat at each turn", () => {
    expect(flagsOf(series(20_000, (i) => Math.round(5 * Math.sin(i / 150)) / 5))).toEqual([]);
  });

  it("flag nothing of a boolean that is on for a moment, the first time or now and then, or off", () => {
    for (const on of [0, 1])
      expect(flagsOf(series(60_000, (i) => (i === 50_000 || i % 9000 === 8000 ? on : 1 - on)))).toEqual([]);
  });

  it("find a value outside the valid range from the first reading on", () => {
    expect(flagsOf([{ time: 0, value: -200 }], { min: 0 })).toEqual([
      { check: "range", level: "fail", from: 0, to: 0 },
    ]);
  });

  it("find one value far from both its neighbors, one reading later, and learn nothing from it", () => {
    const readings = lively(1200);
    readings[1000]!.value = 80;
    readings[1100]!.value = 80;
    expect(flagsOf(readings)).toEqual([
      { check: "spike", level: "fail", from: 2_000_000, to: 2_000_000 },
      { check: "spike", level: "fail", from: 2_200_000, to: 2_200_000 },
    ]);
    expect(flagsOf(readings.slice(0, 1001))).toEqual([]);
  });

  it("call no spike what stays", () => {
    const readings = lively(1200).map((one, i) => (i < 1000 ? one : { ...one, value: one.value + 60 }));
    expect(flagsOf(readings).filter(({ check }) => check === "spike")).toEqual([]);
  });

  it("find a value that stays for far longer than any did, as one flag with its end", () => {
    const readings = lively(1400);
    for (let i = 1000; i < 1200; i++) readings[i]!.value = readings[1000]!.value;
    expect(flagsOf(readings)).toEqual([{ check: "stuck", level: "suspect", from: 2_000_000, to: 2_398_000 }]);
  });

  it("take a value at which it is stuck again and again for where it rests", () => {
    const readings = lively(8000).map((one, i) => (i % 1000 < 100 && i >= 1000 ? { ...one, value: 20 } : one));
    expect(flagsOf(readings).filter(({ check }) => check === "stuck")).toHaveLength(2);
  });

  it("find a change faster than any of a day, outside of all it was", () => {
    const readings = lively((DAY / 2 / SECOND) * 1.1);
    const at = readings.length - 10;
    const jumped = readings.map((one, i) => (i < at ? one : { ...one, value: one.value + 40 }));
    const time = jumped[at]!.time;
    expect(flagsOf(jumped)).toEqual([{ check: "change", level: "suspect", from: time, to: time }]);
  });

  it("find a counter that falls after it never did for a day", () => {
    const counter = Array.from({ length: 1600 }, (_, i) => ({ time: i * 60 * SECOND, value: i < 1550 ? i : i - 1550 }));
    expect(flagsOf(counter).filter(({ check }) => check === "reset")).toEqual([
      { check: "reset", level: "suspect", from: 1549 * 60 * SECOND, to: 1550 * 60 * SECOND },
    ]);
  });

  it("stay finite, whatever comes", () => {
    const numbers = fc.array(fc.double({ noNaN: true, min: -1e12, max: 1e12 }), { maxLength: 300 });
    fc.assert(
      fc.property(numbers, (values) => {
        const state = newSeries();
        values.forEach((value, i) => stepSeries(state, 0, i * SECOND, value, DEFAULT_LIMITS, () => {}));
        expect([...state].every((number, i) => Number.isFinite(number) || i === 17)).toBe(true);
      }),
    );
  });
});

it("calls no machine stuck that idles at a value inside its range, for short times first and long ones then", () => {
  const state = newSeries();
  const found: string[] = [];
  let time = Date.UTC(2026, 0, 1);
  const take = (value: number) =>
    stepSeries(state, 0, (time += 10_000), value, DEFAULT_LIMITS, (one) => found.push(one.check));
  for (let shift = 0; shift < 12; shift++) {
    for (let i = 0; i < 300; i++) take(50 + 45 * Math.sin(shift + i * 0.7) + ((i * 7919) % 101) / 100);
    for (let i = 0; i < (shift < 4 ? 12 : 400); i++) take(20);
  }
  expect(found.filter((check) => check === "stuck")).toEqual([]);
});
