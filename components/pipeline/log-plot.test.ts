import { expect, test } from "vitest";
import { logPlot } from "./log-plot";

test("the axis is of whole powers of ten around all values, with at most six labels", () => {
  const { rows, scale } = logPlot(
    [
      { time: 0, a: 1, b: null },
      { time: 5, a: 2500, b: 0.2 },
    ],
    ["a", "b"],
  );
  expect(rows).toEqual([
    { time: 0, a: 0, b: null },
    { time: 5, a: Math.log10(2500), b: Math.log10(0.2) },
  ]);
  expect([scale.min, scale.max, scale.ticks.map(scale.label)]).toEqual([
    -1,
    4,
    ["100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"],
  ]);
  const wide = logPlot([{ time: 0, a: 0.001, b: 4e7 }], ["a", "b"]).scale;
  expect([wide.min, wide.ticks.map(wide.label)]).toEqual([
    -2,
    ["10 µs", "1 ms", "100 ms", "10 s", "16 min 40 s", "1 d 3 h"],
  ]);
});

test("one value alone, or none, has an axis too", () => {
  expect(logPlot([{ time: 0, a: 10 }], ["a"]).scale).toMatchObject({ min: 1, max: 2 });
  expect(logPlot([], ["a"]).scale).toMatchObject({ min: -1, max: 3 });
});
