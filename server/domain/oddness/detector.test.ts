import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytesOf,
  detectorOf,
  type DetectorState,
  ODD_FROM,
  STATE_BYTES,
  stepDetector,
  takeAsUsual,
  usualBand,
} from "./detector";

const STEP = 5 * 60_000;
const DAY = 86_400_000;
const BEGIN = Date.UTC(2026, 0, 1);

/** A day's wave with noise, the same for the same seed. */
function wave(days: number, seed = 1) {
  let state = seed;
  const noise = () => ((state = (state * 1103515245 + 12345) % 2147483648) / 2147483648 - 0.5) * 2;
  return Array.from({ length: (days * DAY) / STEP }, (_, i) => {
    const time = BEGIN + i * STEP;
    return { time, value: 20 + 8 * Math.sin((2 * Math.PI * (time % DAY)) / DAY) + noise() };
  });
}

function scores(points: readonly { readonly time: number; readonly value: number }[]) {
  const state = detectorOf();
  return points.map(({ time, value }) => take(state, time, value));
}

function take(state: DetectorState, time: number, value: number, options = {}) {
  return stepDetector(state, time, { mean: value, min: value, max: value }, options);
}

/** Stretches that begin from `known` on. */
function stretches(
  points: readonly { readonly time: number; readonly value: number }[],
  known: number,
  oddFrom: number,
) {
  const state = detectorOf();
  const all = points.map(({ time, value }) => take(state, time, value, { oddFrom }).since === time);
  return all.slice(known).filter(Boolean).length;
}

describe("odd behaviour", () => {
  it("says little of steady waves: an episode in four days of a series, and none that is 1.2 times as far", () => {
    const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
    const known = (7 * DAY) / STEP;
    const count = (from: number) => seeds.reduce((sum, seed) => sum + stretches(wave(28, seed), known, from), 0);
    expect(count(ODD_FROM) / (seeds.length * 21)).toBeLessThan(1 / 4);
    expect(count(1.2)).toBe(0);
  });

  it.each([
    ["a spike", (value: number, i: number) => (i === 0 ? value + 15 : value)],
    ["a level it never had", (value: number) => value + 14],
    ["a day without its wave", () => 20],
    ["noise that is larger", (value: number, i: number) => value + (i % 2 ? 4 : -4)],
  ])("finds %s", (_, change) => {
    const at = (21 * DAY) / STEP;
    const points = wave(22).map((point, i) => (i < at ? point : { ...point, value: change(point.value, i - at) }));
    const after = scores(points).slice(at);
    expect(Math.max(...after.map(({ score }) => score))).toBeGreaterThan(1.5);
  });

  it("says by how much a value is farther away than any before", () => {
    const points = wave(21);
    const state = detectorOf();
    for (const { time, value } of points) take(state, time, value);
    const odd = take(state, BEGIN + 21 * DAY, 60);
    expect(odd).toMatchObject({ channel: expect.stringMatching(/value|time of day/) as string, now: 60 });
    expect(odd.score).toBeCloseTo((odd.now - odd.usual) / odd.farthest, 10);
  });

  it("finds what leaves a value it always had, and takes rounding for nothing", () => {
    const flat = Array.from({ length: 2000 }, (_, i) => ({ time: BEGIN + i * STEP, value: i % 3 ? 0.1 : 0.1 + 1e-16 }));
    expect(scores(flat).every(({ score }) => score === 0)).toBe(true);
    expect(scores([...flat, { time: BEGIN + 2000 * STEP, value: 0.2 }]).at(-1)?.score).toBe(100);
  });

  it("is silent while it knows less than a day and a hundred steps", () => {
    const hourly = Array.from({ length: 99 }, (_, i) => ({ time: BEGIN + i * 12 * STEP, value: i * i }));
    expect(scores(hourly).every(({ score }) => score === 0)).toBe(true);
    const quick = wave(1).map((point, i) => ({ ...point, value: i * i }));
    expect(scores(quick).every(({ score }) => score === 0)).toBe(true);
  });

  it("looks at nothing that comes later: a beginning has the same scores", () => {
    const points = wave(9, 7);
    fc.assert(
      fc.property(fc.nat(points.length), (length) => {
        expect(scores(points.slice(0, length))).toEqual(scores(points).slice(0, length));
      }),
      { numRuns: 20 },
    );
  });

  it("goes by shape, not by unit: another scale and zero give the same scores", () => {
    const points = wave(12, 3).map((point, i) => (i === 3000 ? { ...point, value: 55 } : point));
    const other = points.map(({ time, value }) => ({ time, value: value * 1.8 + 32 }));
    const [one, two] = [scores(points), scores(other)];
    for (let i = 0; i < one.length; i++) expect(two[i]!.score).toBeCloseTo(one[i]!.score, 4);
  });

  it("goes on from a state that was kept as bytes", () => {
    const points = wave(9, 4);
    const state = detectorOf();
    points.slice(0, 2000).forEach(({ time, value }) => take(state, time, value));
    expect(bytesOf(state)).toHaveLength(STATE_BYTES);
    const kept = detectorOf(Buffer.from(bytesOf(state)));
    expect(points.slice(2000).map(({ time, value }) => take(kept, time, value))).toEqual(scores(points).slice(2000));
  });

  it("stays odd for as long as it is farther than it was before, then the new is usual", () => {
    const at = (21 * DAY) / STEP;
    const points = wave(24).map((point, i) => (i < at ? point : { ...point, value: point.value + 25 }));
    const after = scores(points).slice(at);
    expect(after.slice(0, 100).every(({ score, since }) => score > 1.2 && since === points[at]!.time)).toBe(true);
    expect(after.slice(101, 300).every(({ score }) => score < ODD_FROM)).toBe(true);
  });

  it("takes what is said to be normal as usual at once, and learns nothing of what is said to be real", () => {
    const points = wave(21);
    const at = BEGIN + 21 * DAY;
    const know = () => {
      const state = detectorOf();
      for (const { time, value } of points) take(state, time, value);
      return state;
    };
    const normal = know();
    expect(take(normal, at, 60).score).toBeGreaterThan(2);
    expect(take(normal, at + STEP, 60).score).toBeGreaterThan(2);
    takeAsUsual(normal);
    expect(take(normal, at + 2 * STEP, 60)).toMatchObject({ since: null });
    const [plain, real] = [know(), know()];
    for (const [state, learns] of [
      [plain, true],
      [real, false],
    ] as const) {
      for (let i = 0; i < 3; i++) take(state, at + i * STEP, 60, { learns });
      for (const { time, value } of wave(3)) take(state, time + 21 * DAY + 3 * STEP, value);
    }
    const again = (state: DetectorState) => take(state, at + 3 * DAY + 3 * STEP, 60).score;
    expect(again(plain)).toBeLessThan(1.2);
    expect(again(real)).toBeGreaterThan(2);
  });

  it("sees a peak that a step's mean hides", () => {
    const state = detectorOf();
    for (const { time, value } of wave(21)) take(state, time, value);
    const usual = wave(22).at(21 * 288)!.value;
    const odd = stepDetector(state, BEGIN + 21 * DAY, { mean: usual, min: usual - 1, max: usual + 40 });
    expect(odd.score).toBeGreaterThan(2);
    expect(odd.channel).toBe("value");
  });

  it("keeps its grip on small changes of a large value, and on a value that never changes", () => {
    const high = wave(14, 5).map(({ time, value }) => ({ time, value: 1e9 + value }));
    const [one, two] = [scores(high), scores(wave(14, 5))];
    for (let i = 0; i < one.length; i++) expect(one[i]!.score).toBeCloseTo(two[i]!.score, 3);
    const full = Array.from({ length: 5000 }, (_, i) => ({ time: BEGIN + i * STEP, value: 100 }));
    expect(scores(full).every(({ score }) => score === 0)).toBe(true);
  });

  it("doesn't judge counters, also ones that begin again now and then", () => {
    let count = 0;
    let i = 0;
    const counter = wave(20, 2).map(({ time, value }) => {
      count = ++i % 1500 === 0 ? 0 : count + value;
      return { time, value: count };
    });
    expect(scores(counter).every(({ score }) => score === 0)).toBe(true);
  });

  it.each<[string, (i: number, noise: number) => number]>([
    ["a battery in whole percents", (i) => Math.round(100 - i / 288)],
    ["a battery with noise", (i, noise) => Math.round(10 * (100 - (2 * i) / 288 + noise / 2)) / 10],
    ["a battery that is warm by day", (i) => 100 - i / 288 + 0.5 * Math.sin((2 * Math.PI * i) / 288)],
    ["a voltage that falls faster and faster", (i, noise) => 4.2 - 0.9 * (i / 8640) ** 1.5 + 0.003 * noise],
    ["a battery that is charged now and then", (i) => Math.round(100 - 8 * ((i / 288) % 10))],
    ["a counter that counts seldom", (i) => Math.floor(i / 40)],
    ["a counter of what is made by day", (i) => 100 * Math.floor(i / 288) + Math.max(0, Math.min(100, (i % 288) - 96))],
    ["a total with noise", (i, noise) => 3 * i + 5 * noise],
  ])("calls nothing odd of %s after its second day", (_, valueAt) => {
    const noises = wave(30, 11).map(({ time, value }) => value - 20 - 8 * Math.sin((2 * Math.PI * (time % DAY)) / DAY));
    const found = scores(noises.map((noise, i) => ({ time: BEGIN + i * STEP, value: valueAt(i, noise) })));
    expect(found.flatMap(({ since }, i) => (i >= 2 * 288 && since === BEGIN + i * STEP ? [i / 288] : []))).toEqual([]);
  });

  it("judges a series again that went one way for a week and does so no more", () => {
    const points = wave(40, 3).map((point, i) => ({ ...point, value: point.value + Math.min(i, 7 * 288) / 10 }));
    const at = 38 * 288;
    points[at] = { ...points[at]!, value: 600 };
    expect(scores(points)[at]!.score).toBeGreaterThan(1.3);
  });

  it("calls nothing of the day odd before it knows the day: one value in half an hour needs a hundred steps more", () => {
    const slow = wave(9, 6).filter((_, i) => i % 12 === 0);
    const found = scores(slow);
    expect(found.filter(({ score }) => score >= 3)).toEqual([]);
  });

  it("tells what is usual at a time", () => {
    const state = detectorOf();
    expect(usualBand(state, BEGIN)).toBeNull();
    for (const { time, value } of wave(21)) take(state, time, value);
    const [low, high] = usualBand(state, BEGIN + 21 * DAY + DAY / 4)!;
    expect([low, high].map(Math.round)).toEqual([27, 29]);
  });
});
