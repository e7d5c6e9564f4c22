import { expect, test } from "vitest";
import { compilePattern } from "./patterns";
import { compileFormat } from "./times";

const ARRIVED = Date.parse("2027-01-01T00:00:00Z");

function read(
  format: Parameters<typeof compileFormat>[0],
  value: string | number,
  { token, zone, pattern }: { token?: string; zone?: string; pattern?: string } = {},
): string {
  const time = compileFormat(format, zone, pattern)(value, token, { arrived: ARRIVED, device: "d" });
  return "problem" in time ? time.problem : new Date(time.time).toISOString() + (time.ambiguous ? " ambiguous" : "");
}

test.each([
  ["s", 1764295391, "2025-11-28T02:03:11.000Z"],
  ["s", 1764295391.55, "2025-11-28T02:03:11.550Z"],
  ["s", 1764295391.001, "2025-11-28T02:03:11.001Z"],
  ["s", "1764295391", "2025-11-28T02:03:11.000Z"],
  ["s", "1.5945120943859746E9", "2020-07-12T00:01:34.385Z"],
  ["ms", 1764295391550, "2025-11-28T02:03:11.550Z"],
  ["ms", 1764295391550.9, "2025-11-28T02:03:11.550Z"],
  ["us", 1764295391550999, "2025-11-28T02:03:11.550Z"],
  ["ns", "1764295391550999999", "2025-11-28T02:03:11.550Z"],
  ["ns", 0, "1970-01-01T00:00:00.000Z"],
  ["s", 1764295391550, "is after the year 9999 as s"],
  ["ms", -5, "is no number of a time since 1970"],
  ["ms", "soon", "is no number of a time since 1970"],
  ["rfc3339", "2026-11-28T02:03:11.123456789Z", "2026-11-28T02:03:11.123Z"],
  ["rfc3339", "2026-11-28T02:03:11+0000", "2026-11-28T02:03:11.000Z"],
  ["rfc3339", "2026-11-28T02:03:11.5+05", "2026-11-27T21:03:11.500Z"],
  ["rfc3339", "2026-11-28 02:03:11-0330", "2026-11-28T05:33:11.000Z"],
  ["rfc3339", "2026-11-28T02:03:11", "is no RFC 3339 time with a zone"],
  ["rfc3339", "2026-11-28", "is no RFC 3339 time with a zone"],
] as const)("%s of %j is %s", (format, value, expected) => expect(read(format, value)).toBe(expected));

test.each([
  ["2026-11-28T02:03:11Z", "2026-11-28T02:03:11.000Z"],
  ["2026-11-28 02:03:11", "2026-11-28T00:03:11.000Z"],
  ["2026-11-28T02:03", "2026-11-28T00:03:00.000Z"],
  ["1.5945120943859746E9", "2020-07-12T00:01:34.385Z"],
  ["1764295391550999999", "2025-11-28T02:03:11.550Z"],
])("any of %s, two hours ahead where it has no zone, is %s", (text, expected) => {
  expect(read("any", text, { zone: "+02:00" })).toBe(expected);
});

test("digits that no double holds are read as they were written", () => {
  expect(read("ns", 1764295391550999800, { token: "1764295391550999999" })).toBe("2025-11-28T02:03:11.550Z");
  expect(read("ns", 1764295391551000000, { token: "1764295391550999999.5" })).toBe("2025-11-28T02:03:11.550Z");
});

test.each([
  ["2026-07-01T12:00:00", "2026-07-01T10:00:00.000Z"],
  ["2026-12-01 12:00", "2026-12-01T11:00:00.000Z"],
  ["2026-07-01T12:00:00.250+00:00", "2026-07-01T12:00:00.250Z"],
  ["2026-03-29T02:30:00", "is in an hour that the zone's clocks left out"],
  ["2026-02-30T12:00:00", "is not written as the mapping says"],
])("local %s in Berlin is %s", (text, expected) => {
  expect(read("local", text, { zone: "Europe/Berlin" })).toBe(expected);
});

test("the hour that a zone has twice is read by the order of arrival, of each device, and marked", () => {
  const local = compileFormat("local", "Europe/Berlin", undefined);
  const at = (clock: string, device = "a", arrived = ARRIVED) => {
    const time = local(`2026-10-25T${clock}`, undefined, { arrived, device });
    return "problem" in time ? time.problem : [new Date(time.time).toISOString().slice(11, 16), time.ambiguous];
  };
  expect(["01:50", "02:00", "02:30", "02:59"].map((clock) => at(`${clock}:00`))).toEqual([
    ["23:50", false],
    ["00:00", true],
    ["00:30", true],
    ["00:59", true],
  ]);
  expect(["02:00", "02:30", "03:00"].map((clock) => at(`${clock}:00`))).toEqual([
    ["01:00", true],
    ["01:30", true],
    ["02:00", false],
  ]);
  // Another device has an order of its own; and what has just been sent is told by the clock here.
  expect(at("02:10:00", "b")).toEqual(["00:10", true]);
  expect(at("02:30:00", "c", Date.parse("2026-10-25T01:30:05Z"))).toEqual(["01:30", true]);
  expect(at("02:30:00", "d", Date.parse("2026-10-25T00:30:05Z"))).toEqual(["00:30", true]);
});

test.each([
  ["dd/MM/yyyy HH.mm.ss", "10/03/2004 18.00.00", "2004-03-10T17:00:00.000Z"],
  ["d MMM yyyy h:mm a", "3 Jan 2026 12:05 am", "2026-01-02T23:05:00.000Z"],
  ["yyyyMMdd'T'HHmmss.SZ", "20260701T120000.5-0200", "2026-07-01T14:00:00.500Z"],
  ["yy-M-d", "26-7-1", "2026-06-30T22:00:00.000Z"],
  ["yyyy-MM-dd", "2026-13-01", "is not written as the mapping says"],
  ["yyyy-MM-dd", "2026-01-01x", "is not written as the mapping says"],
])("pattern %s reads %s as %s", (pattern, text, expected) => {
  expect(read("pattern", text, { pattern, zone: "Europe/Berlin" })).toBe(expected);
});

test("a pattern without a day is none", () => {
  expect(compilePattern("HH:mm")).toBeNull();
  expect(compilePattern("yyyy-MM-dd HH:mm Z")?.hasZone).toBe(true);
});
