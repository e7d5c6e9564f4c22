import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newDetector, ODD_FROM, REST_STEPS, stepDetector } from "./detector";

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
  const state = newDetector();
  return points.map(({ time, value }) => stepDetector(state, time, value));
}

function episodes(scores: readonly number[], from: number): number {
  let count = 0;
  let rest = 0;
  for (const score of scores) {
    if (rest > 0) rest--;
    else if (score >= from) {
      count++;
      rest = REST_STEPS;
    }
  }
  return count;
}

describe("odd behaviour", () => {
  it("says little of steady waves: an episode in four days of a series, and none that is 1.2 times as far", () => {
    const seeds = Array.from({ length: 20 }, (_, i) => i + 1);
    const known = (7 * DAY) / STEP;
    const after = seeds.map((seed) =>
      scores(wave(28, seed))
        .slice(known)
        .map(({ score }) => score),
    );
    const days = seeds.length * 21;
    expect(after.reduce((sum, one) => sum + episodes(one, ODD_FROM), 0) / days).toBeLessThan(1 / 4);
    expect(after.reduce((sum, one) => sum + episodes(one, 1.2), 0)).toBe(0);
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
    const state = newDetector();
    for (const { time, value } of points) stepDetector(state, time, value);
    const odd = stepDetector(state, BEGIN + 21 * DAY, 60);
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
    for (let i = 0; i < one.length; i++) expect(two[i]!.score).toBeCloseTo(one[i]!.score, 6);
  });

  it("goes on from a state that was kept as bytes", () => {
    const points = wave(9, 4);
    const state = newDetector();
    points.slice(0, 2000).forEach(({ time, value }) => stepDetector(state, time, value));
    const kept = new Float64Array(new Uint8Array(state.buffer).slice().buffer);
    const rest = points.slice(2000).map(({ time, value }) => stepDetector(kept, time, value));
    expect(rest).toEqual(scores(points).slice(2000));
  });
});
