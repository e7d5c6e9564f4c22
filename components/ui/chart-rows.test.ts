import { describe, expect, it } from "vitest";
import type { PlotPoint } from "../ui/time-chart-plot";
import { bandKey, toRows } from "./chart-rows";

const point = (time: number, value: number, spread = 0): PlotPoint => {
  return { time, start: time, value, low: value - spread, high: value + spread, alone: false };
};

describe("toRows", () => {
  it("gives a line the value it passes through where only another has a point", () => {
    const rows = toRows([
      { key: "a", step: false, stretches: [[point(0, 0, 1), point(10, 10, 6)]] },
      { key: "b", step: true, stretches: [[point(4, 1), point(8, 0)]] },
    ]);
    expect(rows.map((row) => [row.time, row.a, row.b])).toEqual([
      [0, 0, null],
      [4, 4, 1],
      [8, 8, 0],
      [10, 10, null],
    ]);
    expect(rows[1]![bandKey("a")]).toEqual([1, 7]);
  });

  it("goes between values whose distance is beyond a double", () => {
    const rows = toRows([
      { key: "a", step: false, stretches: [[point(0, -1.7e308), point(10, 1.7e308)]] },
      { key: "b", step: false, stretches: [[point(5, 1)]] },
    ]);
    expect(rows[1]!.a).toBe(0);
  });

  it("breaks a line between its stretches, also where another goes on", () => {
    const rows = toRows([
      { key: "a", step: false, stretches: [[point(0, 1), point(1, 2)], [point(9, 3)]] },
      { key: "b", step: false, stretches: [[point(0, 5), point(5, 5), point(9, 5)]] },
    ]);
    expect(rows.map((row) => [row.time, row.a, row.b])).toEqual([
      [0, 1, 5],
      [1, 2, 5],
      [5, null, 5],
      [9, 3, 5],
    ]);
  });

  it("breaks a line that is alone by a row of nothing", () => {
    const rows = toRows([{ key: "a", step: false, stretches: [[point(0, 1)], [point(8, 3)]] }]);
    expect(rows.map((row) => [row.time, row.a])).toEqual([
      [0, 1],
      [4, null],
      [8, 3],
    ]);
  });
});
