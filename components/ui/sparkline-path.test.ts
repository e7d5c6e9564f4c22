import { describe, expect, it } from "vitest";
import { rangeOf, sparklinePath } from "./sparkline-path";

describe("sparklinePath", () => {
  it("breaks the line at a gap and marks the newest value", () => {
    const { path, last } = sparklinePath([1, 2, null, 2, 1], 96, 24);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(last).toEqual([93, 12]);
  });

  it("tells what is unknown in between and at the end from what isn't known yet", () => {
    expect(sparklinePath([null, 1, 1], 96, 24).gaps).toBe("");
    expect(sparklinePath([null, 1, null, 1, null], 96, 24).gaps).toBe("M25.5 23H70.5M70.5 23H93");
  });

  it("draws a lone value as a dot", () => expect(sparklinePath([null, 5, null], 96, 24).path).toBe("M48 3h0.1"));

  it("draws zeros on the foot and nothing from nothing", () => {
    expect(sparklinePath([0, 0], 96, 24).path).toBe("M3 21L93 21");
    expect(sparklinePath([], 96, 24)).toMatchObject({ path: "", last: null });
    expect(sparklinePath([null, null], 96, 24)).toMatchObject({ path: "", last: null });
  });
});

describe("rangeOf", () => {
  it("shows how values move, and little movement as little", () => {
    expect(rangeOf([10, null, 30])).toEqual([10, 30]);
    const [low, high] = rangeOf([100, 100.2]);
    expect(high - low).toBeCloseTo(2.002);
    expect(rangeOf([0, null, 0])).toEqual([0, 1]);
    expect(rangeOf([null])).toEqual([0, 0]);
  });

  it("holds values from the ends of what a double holds", () => {
    for (const values of [
      [1.7e308, -1.7e308],
      [1.7e308, 1.79e308],
      [Number.MAX_VALUE, Number.MAX_VALUE],
      [5e-324, 0],
      [-1.7e308, 0],
    ]) {
      expect(rangeOf(values).every(Number.isFinite)).toBe(true);
      for (const { path } of [sparklinePath(values, 96, 24), sparklinePath(values, 96, 24, rangeOf(values))])
        expect(path).toMatch(/^M3 [\d.]+L93 [\d.]+$/);
    }
  });

  it("puts a steady value in the middle", () =>
    expect(sparklinePath([5, 5], 96, 24, rangeOf([5, 5])).path).toBe("M3 12L93 12"));
});
