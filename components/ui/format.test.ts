import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decimalsIn,
  formatAge,
  formatCount,
  formatDecimals,
  formatEdge,
  formatExact,
  formatInstant,
  formatMeasure,
  formatRate,
  formatShare,
  formatSince,
  formatTick,
  withZonedTimes,
} from "./format";

describe("numbers", () => {
  it.each([
    [0, "0"],
    [7.5, "7.50"],
    [12_400, "12.4 K"],
    [999.6, "1.00 K"],
    [999_960, "1.00 M"],
    [0.004532068, "0.0045"],
    [0.2, "0.2"],
    [5, "5"],
  ])("writes the rate %s as %s", (value, text) => expect(formatRate(value)).toBe(text));

  it.each([
    [1013.25, "1,013"],
    [21.3, "21.3"],
    [-4, "-4"],
    [123_456, "123,456"],
    [1_234_567, "1.23 M"],
    [1.2e-8, "1.2e-8"],
    [1.7e300, "1.7e300"],
  ])("writes the reading %s as %s", (value, text) => expect(formatMeasure(value)).toBe(text));

  it("writes counts exactly while they are short", () => {
    expect(formatCount(9995)).toBe("9,995");
    expect(formatCount(69_965)).toBe("70.0 K");
    expect(formatExact(Number.MAX_VALUE)).toBe("1.7976931348623157e308");
    expect(formatExact(5e-324)).toBe("5e-324");
    expect(formatMeasure(-1.7e308)).toBe("-1.7e308");
    expect(formatMeasure(999.4e12)).toBe("999 T");
    expect(formatExact(16.040000000000003)).toBe("16.04");
    expect(formatExact(214_224.005)).toBe("214,224.005");
    expect(formatExact(69_965)).toBe("69,965");
    expect(formatExact(0.004532068199369834)).toBe("0.004532068199369834");
  });

  it.each([
    [0, "0 %"],
    [0.0002, "< 0.1 %"],
    [0.004, "0.4 %"],
    [0.1249, "12 %"],
    [0.99951, "> 99.9 %"],
    [1, "100 %"],
  ])("writes the share %s as %s", (share, text) => expect(formatShare(share)).toBe(text));

  it("writes means with one decimal more than what was measured", () => {
    expect([decimalsIn([]), decimalsIn([21, 16.040000000000003, 15.9]), decimalsIn([1e-9])]).toEqual([0, 2, 0]);
    expect([formatDecimals(1 / 3, 2), formatDecimals(16.04, 3), formatDecimals(214_224, 3)]).toEqual([
      "0.33",
      "16.04",
      "214,224",
    ]);
    expect(formatDecimals(1.7e300, 1)).toBe("1.7e300");
  });

  it("is never off by more than half of the third digit", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e14, noNaN: true }), (value) => {
        const [digits = "", prefix = ""] = formatRate(value).split(" ");
        const factor = { "": 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 }[prefix] ?? Number.NaN;
        expect(Math.abs(Number(digits.replaceAll(",", "")) * factor - value) / value).toBeLessThanOrEqual(0.0051);
      }),
    );
  });
});

describe("times", () => {
  it.each([
    [-500, "now"],
    [999, "now"],
    [12_000, "12 s ago"],
    [3_599_999, "59 min ago"],
    [200_000_000_000, "6 y ago"],
  ])("writes an age of %s ms as %s", (ms, text) => expect(formatAge(ms)).toBe(text));

  it("writes moments to the millisecond with the zone", () => {
    expect(formatInstant(Date.UTC(2026, 10, 23, 21, 10, 0, 123), "UTC")).toBe("2026-11-23 21:10:00.123 UTC");
    expect(formatTick(Date.UTC(2020, 6, 19, 8, 5), "UTC", 3_600_000)).toBe("08:05");
    expect(formatTick(Date.UTC(2020, 6, 19, 8, 5), "UTC", 30 * 86_400_000)).toBe("19 Jul");
  });

  it("says the day of an end that isn't of today, so that yesterday can't be taken for it", () => {
    const [day, now] = [86_400_000, Date.UTC(2020, 6, 19, 8, 5)];
    expect(formatEdge(now - 3_600_000, "UTC", 3_600_000, now)).toBe("07:05");
    expect(formatEdge(now - day, "UTC", day, now)).toBe("18 Jul 08:05");
    expect(formatEdge(now - 7 * day, "UTC", 7 * day, now)).toBe("12 Jul");
    expect(formatEdge(now - 366 * day, "UTC", 3_600_000, now)).toBe("19 Jul 2019 08:05");
    expect(formatEdge(now - 366 * day, "UTC", 7 * day, now)).toBe("19 Jul 2019");
  });
});

it("tells a time alone only where it can't be taken for that of another day", () => {
  const [now, hour] = [Date.UTC(2026, 10, 30, 12, 36), 3_600_000];
  expect(formatSince(now - 23 * hour, "UTC", now)).toBe("13:36");
  expect(formatSince(now - 25 * hour, "UTC", now)).toBe("29 Nov 11:36");
  expect(formatSince(now + hour, "UTC", now)).toBe("13:36");
  expect(formatSince(now + 23 * hour, "UTC", now), "tomorrow").toBe("1 Dec 11:36");
});

it("writes the times in a sentence of the server's as the page does", () => {
  expect(withZonedTimes("hook since 2026-11-30T12:31:57.611Z: 429", "UTC")).toBe("hook since 30 Nov 2026 12:31: 429");
  expect(withZonedTimes("Partition 3 was cut, 2026-11-30 12:31 UTC.", "UTC")).toBe(
    "Partition 3 was cut, 30 Nov 2026 12:31.",
  );
  expect(withZonedTimes("press-2026 of 2026-11-30, 40 rows", "UTC")).toBe("press-2026 of 2026-11-30, 40 rows");
});
