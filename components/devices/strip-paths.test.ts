import { expect, test } from "vitest";
import { flagBands, stripPaths } from "./strip-paths";

const point = (time: number, value: number, low = value, high = value) => {
  return { time, start: time, value, low, high, alone: false };
};

test("a strip's line keeps its gaps, and has a band where values differ", () => {
  const stretches = [[point(0, 0), point(50, 5, 0, 10)], [point(100, 10)]];
  expect(stripPaths(stretches, { from: 0, to: 100 }, [0, 10])).toEqual({
    line: "M0 44L500 24M1000 4h3",
    band: "M0 44L500 4L500 44L0 44Z",
  });
});

test("a value that holds until the next goes in steps", () => {
  expect(stripPaths([[point(0, 0), point(50, 10), point(100, 10)]], { from: 0, to: 100 }, [0, 10], true)).toEqual({
    line: "M0 44H500V4H1000V4",
    band: "",
  });
});

test("a value that never changes lies in the middle", () => {
  expect(stripPaths([[point(0, 7), point(100, 7)]], { from: 0, to: 100 }, [7, 7]).line).toBe("M0 24L1000 24");
});

test("a flag holds until the next value, and is both where a bucket holds both", () => {
  const points = [point(0, 0), point(10, 0), point(20, 1), point(30, 0.5, 0, 1), point(60, 1)];
  expect(flagBands(points, 100)).toEqual([
    { from: 0, to: 20, value: false },
    { from: 20, to: 30, value: true },
    { from: 30, to: 60, value: null },
    { from: 60, to: 60, value: true },
  ]);
});
