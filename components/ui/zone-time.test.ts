import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { momentAt, offsetAt, startOfDay, wallAt } from "./zone-time";

const HOUR = 3_600_000;
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
const zones = fc.constantFrom(...ZONES);
const moments = fc.integer({ min: 1e11, max: 4e12 });
const at = (text: string) => Date.parse(text);
const text = (time: number) => new Date(time).toISOString();

test("offsets of zones, half hours and summers among them", () => {
  const [winter, summer] = [at("2026-01-15T00:00Z"), at("2026-07-15T00:00Z")];
  const hours = ZONES.map((zone) => [offsetAt(winter, zone) / HOUR, offsetAt(summer, zone) / HOUR]);
  expect(hours).toEqual([
    [0, 0],
    [1, 2],
    [-5, -4],
    [11, 10.5],
    [5.5, 5.5],
  ]);
});

describe("momentAt", () => {
  it("gives the first of two, and goes past what is left out", () => {
    expect(text(momentAt(at("2026-10-25T02:30Z"), "Europe/Berlin"))).toBe("2026-10-25T00:30:00.000Z");
    expect(text(momentAt(at("2026-03-29T02:30Z"), "Europe/Berlin"))).toBe("2026-03-29T01:30:00.000Z");
  });

  it("is the way back from every wall time but the second of two", () => {
    fc.assert(
      fc.property(moments, zones, (time, zone) => {
        const back = momentAt(wallAt(time, zone), zone);
        expect(wallAt(back, zone)).toBe(wallAt(time, zone));
        expect(back).toBeLessThanOrEqual(time);
      }),
    );
  });
});

describe("startOfDay", () => {
  it("knows days of 23 and 25 hours", () => {
    const length = (day: string, zone: string) => (startOfDay(at(day), zone, 1) - startOfDay(at(day), zone)) / HOUR;
    expect(length("2026-03-29T12:00Z", "Europe/Berlin")).toBe(23);
    expect(length("2026-10-25T12:00Z", "Europe/Berlin")).toBe(25);
    expect(length("2026-10-03T18:00Z", "Australia/Lord_Howe")).toBe(23.5);
  });

  it("begins a day at its change where clocks leave midnight out", () => {
    expect(text(startOfDay(at("2026-09-06T12:00Z"), "America/Santiago"))).toBe("2026-09-06T04:00:00.000Z");
  });

  it("lies at or before every moment of its day, less than 26 hours ago, and the day before ends there", () => {
    fc.assert(
      fc.property(moments, zones, (time, zone) => {
        const start = startOfDay(time, zone);
        expect(start).toBeLessThanOrEqual(time);
        expect(time - start).toBeLessThan(26 * HOUR);
        expect(wallAt(start, zone) % (24 * HOUR)).toBe(0);
        expect(startOfDay(start - 1, zone, 1)).toBe(start);
      }),
    );
  });
});
