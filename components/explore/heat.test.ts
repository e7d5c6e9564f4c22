import { expect, test } from "vitest";
import {
  beyondOf,
  cellsOf,
  heatScale,
  holdOf,
  opacityOf,
  outlierWords,
  shadeOf,
  SHADES,
  stepAt,
  valueAt,
} from "./heat";

test("one that stands apart doesn't make all others alike", () => {
  const usual = Array.from({ length: 200 }, (_, i) => 20 + (i % 10));
  const scale = heatScale([usual, [1000, null]]);
  expect(scale).toEqual({ min: 20, max: 29 });
  expect([20, 29, 1000, -5].map((value) => shadeOf(value, scale))).toEqual([0, SHADES - 1, SHADES - 1, 0]);
});

test("the ends of a scale say whether there is more beyond", () => {
  const figures = (min: number | null, max: number | null) => ({
    figures: { count: 1, min, mean: min, max, last: max, lastAt: 0 },
  });
  const scale = { min: 20, max: 29 };
  expect(beyondOf(scale, [figures(20, 29), figures(null, null)])).toEqual({ below: false, above: false });
  expect(beyondOf(scale, [figures(19.9, 25), figures(21, 29)])).toEqual({ below: true, above: false });
  expect(beyondOf(scale, [figures(21, 1000)])).toEqual({ below: false, above: true });
});

test("a rare value is not lost where nearly all are the same, and where all are, they are in the middle", () => {
  expect(heatScale([[...Array<number>(200).fill(1), 2]])).toEqual({ min: 1, max: 2 });
  expect(shadeOf(4, heatScale([[4, 4]]))).toBe((SHADES - 1) / 2);
  expect(heatScale([[null]])).toEqual({ min: 0, max: 1 });
});

test("steps of one shade are one cell, and a step without a reading is in none", () => {
  expect(cellsOf([0, 0, null, 0, 10], { min: 0, max: 10 }, 0)).toEqual([
    { start: 0, end: 2, shade: 0 },
    { start: 3, end: 4, shade: 0 },
    { start: 4, end: 5, shade: SHADES - 1 },
  ]);
  expect(opacityOf(0)).toBeGreaterThan(0.1);
});

test("a moment is in the step that holds it, or in none", () => {
  const answer = { from: new Date(0).toISOString(), to: new Date(3000).toISOString(), bucketMs: 1000 };
  expect([null, -1, 0, 999, 2999, 3000].map((time) => stepAt(answer, time))).toEqual([-1, -1, 0, 0, 2, -1]);
});

test("an outlier is told in words", () => {
  const outlier = { id: "a", side: "above", steps: 34, of: 160, farthest: { time: 0, mean: 1 } } as const;
  expect(outlierWords(outlier)).toBe("above the others in 34 of 160 steps");
});

test("a value holds until the next where devices send more seldom than a step is wide, but not over a gap", () => {
  const means = [1, null, 1, null, 9, null, null, null, null, null, null, 9];
  const hold = holdOf([means]);
  expect([holdOf([[1, 2, 3]]), hold]).toEqual([0, 4]);
  expect(cellsOf(means, { min: 0, max: 10 }, hold)).toEqual([
    { start: 0, end: 4, shade: 0 },
    { start: 4, end: 5, shade: SHADES - 1 },
    { start: 11, end: 12, shade: SHADES - 1 },
  ]);
  expect([1, 3, 9].map((step) => valueAt(means, step, hold))).toEqual([1, 1, null]);
});
