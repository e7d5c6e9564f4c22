import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketWidth } from "./bucket-width";

test("never more buckets than points, and whole multiples of the base", () => {
  const moment = fc.integer({ min: 0, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(
      moment,
      moment,
      fc.integer({ min: 10, max: 10_000 }),
      fc.constantFrom(1, 60_000, 3_600_000),
      (a, b, max, base) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b) + 1];
        const width = bucketWidth(from, to, max, base);
        expect(width % base).toBe(0);
        expect(Math.ceil(to / width) - Math.floor(from / width)).toBeLessThanOrEqual(max);
      },
    ),
  );
});
