import { expect, test } from "vitest";
import { histogramPercentile } from "./histogram";

test("an empty histogram has no percentile", () => {
  expect(histogramPercentile([], 0.5)).toBeNull();
  expect(histogramPercentile([0, 0], 0.5)).toBeNull();
});

test("interpolates within the bucket the rank falls into", () => {
  expect(histogramPercentile([10], 0.5)).toBe(0.5);
  expect(histogramPercentile([0, 0, 0, 4], 0.5)).toBe(6);
  expect(histogramPercentile([50, 50], 0.99)).toBeCloseTo(1.98);
});
