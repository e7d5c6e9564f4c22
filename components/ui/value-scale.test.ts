import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shareOf, valueScale } from "./value-scale";

const labels = (low: number, high: number, fromZero = false) => {
  const { ticks, label } = valueScale(low, high, fromZero);
  return ticks.map(label);
};

describe("valueScale", () => {
  it("never rounds a label: quarter steps keep their quarters", () => {
    expect(labels(49.1, 50.2)).toEqual(["49.00", "49.25", "49.50", "49.75", "50.00", "50.25"]);
    expect(labels(21.2, 23.9)).toEqual(["21", "22", "23", "24"]);
    expect(labels(0.0012, 0.0019)).toEqual(["0.0012", "0.0014", "0.0016", "0.0018", "0.0020"]);
  });

  it("writes large values with a prefix, those people read in full without", () => {
    expect(labels(1_000_000, 5_000_000)).toEqual(["1 M", "2 M", "3 M", "4 M", "5 M"]);
    expect(labels(1012.1, 1013.2)).toEqual(["1,012.00", "1,012.25", "1,012.50", "1,012.75", "1,013.00", "1,013.25"]);
  });

  it("gives one value alone, and zero, an axis", () => {
    expect(valueScale(20, 20)).toMatchObject({ min: 19, max: 21 });
    expect(valueScale(0, 0)).toMatchObject({ min: 0, max: 1 });
    expect(valueScale(0, 0, true).min).toBe(0);
    expect(valueScale(-5, -5).max).toBeGreaterThan(-5);
  });

  it("has an axis for any values a double holds, and a place on it for each", () => {
    const value = fc.oneof(
      fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, -5e-324, 0, 1.7e308, 1e300, 1e-300),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(value, value, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (a, b, fromZero, at) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const scale = valueScale(low, high, fromZero);
        expect([scale.min, scale.max, ...scale.ticks].every(Number.isFinite)).toBe(true);
        expect(scale.ticks.length).toBeLessThanOrEqual(6);
        for (const tick of scale.ticks) expect(scale.label(tick).length).toBeLessThan(24);
        for (const one of [low, high, low * (1 - at) + high * at]) {
          expect(shareOf(one, scale)).toBeGreaterThanOrEqual(-1e-6);
          expect(shareOf(one, scale)).toBeLessThanOrEqual(1 + 1e-6);
        }
      }),
    );
    // A value that lies past the top by less than the axis shows, and whose distance from the foot is no double.
    expect(shareOf(9.9792015476736e291, { min: -Number.MAX_VALUE, max: 0 })).toBeCloseTo(1, 9);
    expect(labels(-1.7e308, 1.7e308)).toEqual(["-1e+308", "0", "1e+308"]);
    expect(labels(0, 3e20)).toEqual(["0", "1e+20", "2e+20", "3e+20"]);
  });

  it("begins at zero where zero means something", () => {
    expect(labels(30, 95, true)).toEqual(["0", "20", "40", "60", "80", "100"]);
  });

  it("holds every value between its ends, with two to six ticks that read as what they are", () => {
    const value = fc
      .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: -6, max: 6 }))
      .map(([n, e]) => n * 10 ** e);
    fc.assert(
      fc.property(value, value, fc.boolean(), (a, b, fromZero) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const scale = valueScale(low, high, fromZero);
        const slack = Math.max(Math.abs(low), Math.abs(high)) * 1e-8;
        expect(scale.min).toBeLessThanOrEqual(low + slack);
        expect(scale.max).toBeGreaterThanOrEqual(high - slack);
        expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
        expect(scale.ticks.length).toBeLessThanOrEqual(6);
        expect(new Set(scale.ticks.map(scale.label)).size).toBe(scale.ticks.length);
      }),
    );
  });
});
