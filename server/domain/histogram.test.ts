import { expect, test } from "vitest";
import { histogramClass, histogramPercentile } from "./histogram";

test("an empty histogram has no percentile", () => {
  expect(histogramPercentile([], 0.5)).toBeNull();
  expect(histogramPercentile([0, 0], 0.5)).toBeNull();
});

test("interpolates within the bucket the rank falls into", () => {
  expect(histogramPercentile([10], 0.5)).toBe(0.5);
  expect(histogramPercentile([0, 0, 0, 4], 0.5)).toBe(6);
  expect(histogramPercentile([50, 50], 0.99)).toBeCloseTo(1.98);
});

test("a value's class is the least i with value < 2^i", () => {
  expect([0, 0.9, 1, 1.9, 2, 3, 4, 1023, 1024].map((value) => histogramClass(value, 32))).toEqual([
    0, 0, 1, 1, 2, 2, 3, 10, 11,
  ]);
  expect([2 ** 40, Infinity, 2 ** 31, 500].map((value) => histogramClass(value, 8))).toEqual([7, 7, 7, 7]);
});
