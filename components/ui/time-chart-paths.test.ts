import { describe, expect, it } from "vitest";
import { bandPath, linePath } from "./time-chart-paths";

const place = { x: (time: number) => time, y: (value: number) => 100 - value };

describe("linePath", () => {
  it("goes through every value and breaks where there is none", () => {
    const rows = [
      { time: 0, v: 1 },
      { time: 10, v: 2 },
      { time: 20, v: null },
      { time: 30, v: 3 },
      { time: 40, v: 4.04 },
      { time: 50 },
    ];
    expect(linePath(rows, "v", place)).toBe("M0 99L10 98M30 97L40 96");
  });

  it("holds a value until the next one when asked to", () => {
    const rows = [
      { time: 0, v: 0 },
      { time: 10, v: 1 },
    ];
    expect(linePath(rows, "v", place, true)).toBe("M0 100H10V99");
  });

  it("is empty without values", () => {
    expect(linePath([{ time: 0 }], "v", place)).toBe("");
  });
});

describe("bandPath", () => {
  it("closes each stretch and leaves gaps open", () => {
    const rows = [
      { time: 0, b: [1, 3] },
      { time: 10, b: [2, 4] },
      { time: 20, b: null },
      { time: 30, b: [0, 0] },
    ];
    expect(bandPath(rows, "b", place)).toBe("M0 97L10 96L10 98L0 99Z");
  });
});
