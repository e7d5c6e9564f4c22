import { expect, test } from "vitest";
import { reachOf, suggestLimit } from "./suggest-limit";

const point = (value: number, high = value, low = value) => ({ value, low, high });

test("says how many points go beyond the limit it suggests", () => {
  const points = Array.from({ length: 200 }, (_, i) => point(20 + (i % 10) / 10));
  expect(suggestLimit(points, "above")).toEqual({ limit: 20.9, beyond: 0, of: 200 });
  const spiked = [...points, point(21, 160), point(21, 150)];
  expect(suggestLimit(spiked, "above")).toEqual({ limit: 20.9, beyond: 2, of: 202 });
  expect(suggestLimit([...points, point(15, 20, -65)], "below")).toEqual({ limit: 20, beyond: 1, of: 201 });
  expect(suggestLimit(points, "outside")).toBeNull();
  expect(suggestLimit(points.slice(0, 9), "above")).toBeNull();
});

test("an outlier takes no more of the axis than what is usual, and is told of", () => {
  const points = Array.from({ length: 100 }, (_, i) => point(20 + i / 100));
  expect(reachOf(points)).toEqual({ low: 20, high: 20.99, lowest: 20, highest: 20.99 });
  const spiked = reachOf([...points, point(21, 160, -65)])!;
  expect(spiked).toMatchObject({ lowest: -65, highest: 160 });
  expect(spiked.low).toBeGreaterThan(18.9);
  expect(spiked.high).toBeLessThan(22.1);
  const rare = [...Array.from({ length: 100 }, () => point(0)), point(5)];
  expect(reachOf(rare)).toEqual({ low: 0, high: 5, lowest: 0, highest: 5 });
  expect(reachOf([])).toBeNull();
});
