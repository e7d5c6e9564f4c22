import { describe, expect, it, test } from "vitest";
import { rangeOf, readRange, stretchAddress, stretchIn } from "./ranges";

const NOW = Date.parse("2026-10-25T12:00:00Z");
const BERLIN = "Europe/Berlin";
const told = (stretch: unknown) =>
  Object.values(stretch as object).map((value) => (typeof value === "number" ? new Date(value).toISOString() : value));

it("falls back to one hour", () => {
  expect(rangeOf("7d").ms).toBe(604_800_000);
  expect(rangeOf("15m").ms).toBe(900_000);
  expect(rangeOf("all").ms).toBe(null);
  for (const none of ["nonsense", "0h", "999999w", null]) expect(rangeOf(none).key).toBe("1h");
});

it("reads two moments or a day from an address, and nothing else", () => {
  const read = (query: string) => stretchIn(new URLSearchParams(query), NOW, BERLIN);
  const stretch = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 2) };
  expect(stretchIn(new URLSearchParams(stretchAddress(stretch)), NOW, "UTC")).toEqual(stretch);
  // Clocks went back that night: the day has 25 hours.
  expect(told(read("range=today"))).toEqual(["2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z"]);
  expect(told(read("range=yesterday"))).toEqual(["2026-10-23T22:00:00.000Z", "2026-10-24T22:00:00.000Z"]);
  for (const query of [
    "",
    "range=24h",
    "from=2026-01-01T00:00:00Z",
    "from=soon&to=later",
    "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
  ])
    expect(read(query)).toBe(null);
});

describe("a typed range", () => {
  const read = (text: string) => readRange(text, NOW, BERLIN);

  test.each([
    ["-2h", "2h"],
    ["90 min", "90m"],
    [" −3d ", "3d"],
    ["Yesterday", "yesterday"],
    ["all", "all"],
  ])("%s is a range that ends now", (text, range) => expect(read(text)).toEqual({ range }));

  test.each([
    ["2026-03-29", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"],
    ["2026-10-24 08:00 to 09:30", "2026-10-24T06:00:00.000Z", "2026-10-24T07:30:00.000Z"],
    ["2026-10-24 23:00 - 2026-10-25 03:00:30", "2026-10-24T21:00:00.000Z", "2026-10-25T02:00:30.000Z"],
    ["2026-10-01 to 2026-10-02", "2026-09-30T22:00:00.000Z", "2026-10-02T22:00:00.000Z"],
    ["09:00 to now", "2026-10-25T08:00:00.000Z", "2026-10-25T12:00:00.000Z"],
    ["2026-10-25T09:00:00.250", "2026-10-25T08:00:00.250Z", "2026-10-25T12:00:00.000Z"],
  ])("%s is two moments of the zone", (text, from, to) => expect(told(read(text))).toEqual([from, to]));

  test.each(["", "soon", "2026-02-30", "25:00 to 26:00", "2026-10-24 to", "10:00 to 09:00", "999999w"])(
    "%j is none",
    (text) => expect(read(text)).toHaveProperty("problem"),
  );
});
