import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ingestTimeOf, parseEventTime, timeProblem } from "./time";

describe("parseEventTime", () => {
  it.each([
    ["2026-11-23T21:10:00.123Z", Date.UTC(2026, 10, 23, 21, 10, 0, 123)],
    ["2026-11-23T22:10:00.123456+01:00", Date.UTC(2026, 10, 23, 21, 10, 0, 123)],
    ["2026-11-23 21:10:00z", Date.UTC(2026, 10, 23, 21, 10)],
    ["2016-12-31T23:59:60Z", Date.UTC(2016, 11, 31, 23, 59, 59, 999)],
    [1594598735.7727768, 1594598735772],
    [1594598735.001, 1594598735001],
    [1594598735772, 1594598735772],
    [0, 0],
  ])("reads %s", (text, expected) => {
    expect(parseEventTime(text)).toBe(expected);
  });

  it.each([
    ["no zone", "2026-11-23T21:10:00"],
    ["no such day", "2026-02-31T00:00:00Z"],
    ["no such hour", "2026-02-01T24:00:00Z"],
    ["no such zone", "2026-02-01T00:00:00+99:00"],
    ["a zero time", "0001-01-01T00:00:00Z"],
    ["a date alone", "2026-02-01"],
    ["a number as text", "1594598735"],
    ["a negative number", -1],
    ["beyond the year 9999", 1e18],
    ["not finite", Number.POSITIVE_INFINITY],
    ["a boolean", true],
    ["an object", {}],
  ])("refuses %s", (_, value) => {
    expect(parseEventTime(value)).toBeNull();
  });

  it.each([
    [-1, "is before 1970"],
    ["0001-01-01T00:00:00Z", "is before 1970"],
    [1764237600000000, /^is more than epoch milliseconds.*mapping of a source$/],
    ["1764237600", "is text: an epoch has to be a number"],
    ["2026-11-27T10:00:00", "has no zone, such as Z or +01:00"],
    ["yesterday", /^is not a time this can read: that is RFC 3339 with a zone/],
    [true, /^is not a time/],
  ])("says what is wrong with %s", (value, problem) => {
    expect(timeProblem(value)).toMatch(problem);
  });

  it("reads back every millisecond it can write, in all three forms", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1e11, max: 253_402_300_799_999 }), (ms) => {
        expect(parseEventTime(new Date(ms).toISOString())).toBe(ms);
        expect(parseEventTime(ms)).toBe(ms);
        if (ms / 1000 < 1e11) expect(parseEventTime(ms / 1000)).toBe(ms);
      }),
    );
  });
});

describe("ingestTimeOf", () => {
  const NOW = Date.UTC(2026, 0, 15);
  const DAY = 24 * 3_600_000;

  it.each([NOW, NOW - 30 * DAY, NOW + DAY, Date.UTC(2000, 0, 1)])("takes a stamp of %d", (stamp) => {
    expect(ingestTimeOf(stamp, NOW)).toBe(stamp);
  });

  it.each([
    ["microseconds", NOW * 1e3],
    ["nanoseconds", NOW * 1e6],
    ["seconds", NOW / 1e3],
    ["none", -1],
    ["zero", 0],
    ["before 2000", Date.UTC(2000, 0, 1) - 1],
    ["more than a day ahead", NOW + DAY + 1],
    ["the least", -(2 ** 63)],
    ["the most", 2 ** 63],
    ["no number", NaN],
  ])("takes the time of reading for one of %s", (_, stamp) => {
    expect(ingestTimeOf(stamp, NOW)).toBe(NOW);
  });
});
