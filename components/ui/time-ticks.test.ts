import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timeTicks } from "./time-ticks";

const HOUR = 3_600_000;

describe("timeTicks", () => {
  it("puts ticks on round moments", () => {
    expect(timeTicks(HOUR + 1, 2 * HOUR, 0).map((time) => time / 60_000)).toEqual([75, 90, 105, 120]);
  });

  it("begins days at the zone's midnight", () => {
    const ticks = timeTicks(0, 4 * 24 * HOUR, 2 * HOUR);
    expect(ticks.every((time) => (time + 2 * HOUR) % (24 * HOUR) === 0)).toBe(true);
  });

  it("is in order, inside, and at most six, for any range", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1000, max: 2e12 }), (from, span) => {
        const ticks = timeTicks(from, from + span, 0);
        expect(ticks.length).toBeLessThanOrEqual(6);
        expect(ticks.length).toBeGreaterThanOrEqual(1);
        expect(ticks.every((time) => time >= from && time <= from + span)).toBe(true);
        expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
      }),
    );
  });
});
