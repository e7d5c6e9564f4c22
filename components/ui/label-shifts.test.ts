import fc from "fast-check";
import { expect, it } from "vitest";
import { labelShifts } from "./label-shifts";

it("leaves labels alone that have room, and moves the upper of two that don't", () => {
  expect(labelShifts([100, 20])).toEqual([0, 0]);
  expect(labelShifts([4, 0, null])).toEqual([10, 0, 0]);
});

it("never lets two overlap", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 6 }), (heights) => {
      const shifts = labelShifts(heights);
      const placed = heights.map((height, i) => height + (shifts[i] ?? 0)).sort((a, b) => a - b);
      for (let i = 1; i < placed.length; i++)
        expect((placed[i] ?? 0) - (placed[i - 1] ?? 0)).toBeGreaterThanOrEqual(14);
      expect(shifts.every((shift) => shift >= 0)).toBe(true);
    }),
  );
});
