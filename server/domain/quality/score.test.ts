import { expect, test } from "vitest";
import { type Measured, scoreOf } from "./score";

const HOUR = 3_600_000;
const clean: Measured = {
  ...{ from: 0, to: HOUR, received: 360, gapMs: 10_000, flags: [] },
  device: { received: 720, late: 0, repeats: 0, conflicts: 0 },
};

test("a series whose readings are all there, in time and undoubted, has 100", () => {
  expect(scoreOf(clean)).toEqual({
    ...{ completeness: 1, validity: 1, timeliness: 1, plausibility: 1, uniqueness: 1, expected: 360, score: 100 },
  });
});

test("unknown is never 100: without a known pace, or before ten readings were due, there is none", () => {
  expect(scoreOf({ ...clean, gapMs: null })).toMatchObject({ completeness: null, expected: null, score: null });
  expect(scoreOf({ ...clean, to: 90_000, received: 9 }).score).toBeNull();
});

test("each part tells its own share, and one that is nothing leaves the others their say", () => {
  const flag = { level: "suspect", from: 0, to: 0, count: 36 } as const;
  expect(scoreOf({ ...clean, received: 180 })).toMatchObject({ completeness: 0.5, score: 50 });
  expect(scoreOf({ ...clean, flags: [{ ...flag, check: "range", level: "fail" }] }).validity).toBeCloseTo(0.9);
  expect(scoreOf({ ...clean, flags: [{ ...flag, check: "spike" }] }).plausibility).toBeCloseTo(0.9);
  expect(scoreOf({ ...clean, flags: [{ ...flag, check: "stuck", to: HOUR / 4 }] }).plausibility).toBeCloseTo(0.75);
  expect(
    scoreOf({ ...clean, flags: [{ ...flag, check: "clock", from: HOUR / 2, to: 2 * HOUR }] }).timeliness,
  ).toBeCloseTo(0.5);
  expect(scoreOf({ ...clean, device: { ...clean.device, late: 72 } }).timeliness).toBeCloseTo(0.9);
  expect(scoreOf({ ...clean, device: { ...clean.device, repeats: 40, conflicts: 40 } }).uniqueness).toBeCloseTo(0.9);
  // What is missing is seen by what came; what a gap is isn't counted twice.
  expect(scoreOf({ ...clean, flags: [{ ...flag, check: "gap", to: HOUR }] }).score).toBe(100);
  expect(scoreOf({ ...clean, received: 0 }).score).toBeCloseTo(1);
});

test("the more is wrong, the lower it stands", () => {
  const scores = Array.from({ length: 100 }, (_, i) => scoreOf({ ...clean, received: 360 - i * 3 }).score!);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
});
