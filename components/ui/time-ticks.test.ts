import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timeTicks } from "./time-ticks";
import { wallAt } from "./zone-time";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata");

describe("timeTicks", () => {
  it("puts ticks on round moments", () => {
    expect(timeTicks(HOUR + 1, 2 * HOUR, "UTC").map((time) => time / 60_000)).toEqual([75, 90, 105, 120]);
  });

  it("begins days at the zone's midnight, before and after a clock change", () => {
    const ticks = timeTicks(Date.parse("2026-10-23T00:00Z"), Date.parse("2026-10-28T00:00Z"), "Europe/Berlin");
    expect(ticks.map((time) => new Date(time).toISOString().slice(5, 13))).toEqual([
      ...["10-23T22", "10-24T22", "10-25T23", "10-26T23", "10-27T23"],
    ]);
  });

  it("is in order, inside, and one to six, for any range in any zone", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1e11, max: 4e12 }),
        fc.integer({ min: 1000, max: 2e12 }),
        zones,
        (from, span, zone) => {
          const ticks = timeTicks(from, from + span, zone);
          expect(ticks.length).toBeLessThanOrEqual(6);
          expect(ticks.length).toBeGreaterThanOrEqual(1);
          expect(ticks.every((time) => time >= from && time <= from + span)).toBe(true);
          expect(ticks).toEqual([...new Set(ticks)].sort((a, b) => a - b));
        },
      ),
    );
  });

  it("stands on whole minutes of the wall clock from half an hour on, and on midnights from a week on", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1e11, max: 4e12 }),
        fc.integer({ min: HOUR / 2, max: 1e11 }),
        zones,
        (from, span, zone) => {
          for (const time of timeTicks(from, from + span, zone)) {
            expect(wallAt(time, zone) % 60_000).toBe(0);
            if (span >= 7 * DAY) expect(wallAt(time, zone) % DAY).toBe(0);
          }
        },
      ),
    );
  });
});
