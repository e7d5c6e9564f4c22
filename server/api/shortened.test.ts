import fc from "fast-check";
import { expect, test } from "vitest";
import { shortened } from "./shortened";

test("a number to five digits is the one that text would make of it, of any size", () => {
  const size = fc.integer({ min: -20, max: 20 }).map((power) => 10 ** power);
  fc.assert(
    fc.property(fc.tuple(fc.double({ min: -1, max: 1, noNaN: true }), size), ([part, whole]) => {
      const value = part * whole;
      // Halves between two are either.
      const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 4);
      const near = Number(value.toPrecision(5));
      const found = shortened(value);
      if (found !== near) expect(Math.abs(found - value)).toBeLessThanOrEqual(step * 0.500001);
      expect(Number(found.toPrecision(5))).toBe(found);
    }),
    { numRuns: 5000 },
  );
  for (const value of [0, 1000, 0.001, 123_456, 99_999.5, 9.999_99, 1e-14, 5e-324])
    expect(shortened(value)).toBe(Number(value.toPrecision(5)));
  expect(shortened(Number.MAX_VALUE)).toBe(Number.MAX_VALUE);
});
