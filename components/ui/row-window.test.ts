import fc from "fast-check";
import { expect, test } from "vitest";
import { windowOf } from "./row-window";

test("the window holds every row that is seen, no more than a hundred, and moves in steps", () => {
  const count = fc.integer({ min: 0, max: 100_000 });
  fc.assert(
    fc.property(
      count,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 100, max: 2400 }),
      (n, at, height) => {
        const top = Math.floor(at * Math.max(0, n * 34 - height));
        const { start, end } = windowOf(top, height, 34, n);
        const seen = { first: Math.floor(top / 34), last: Math.min(n - 1, Math.ceil((top + height) / 34) - 1) };
        expect(start).toBeGreaterThanOrEqual(0);
        expect(start).toBeLessThanOrEqual(Math.max(0, seen.first));
        expect(end).toBeGreaterThanOrEqual(seen.last + 1);
        expect(end).toBeLessThanOrEqual(n);
        expect(end - start).toBeLessThanOrEqual(100);
      },
    ),
  );
  expect(windowOf(0, 700, 34, 10_000)).toEqual(windowOf(100, 700, 34, 10_000));
});

test("a list that became shorter than where it was scrolled to still has a window", () => {
  const { start, end } = windowOf(300_000, 700, 34, 3);
  expect([start, end]).toEqual([2, 3]);
  expect(windowOf(0, 700, 34, 0)).toEqual({ start: 0, end: 0 });
});
