import { describe, expect, it, test } from "vitest";
import { heldAt, labelAsides, nearest, PLOT, stepped, timeAt, xOf, yOf } from "./time-chart-plot";

const point = (time: number) => ({ time, start: time, value: 1, low: 1, high: 1, alone: false });

describe("where things are", () => {
  it("is the same way back: the time under a pixel is drawn at that pixel", () => {
    for (const x of [PLOT.left, 100.5, 333, 640 - PLOT.right]) {
      expect(xOf(timeAt(x, 0, 1e9, 640), 0, 1e9, 640)).toBeCloseTo(x, 3);
    }
  });

  it("stays within the range beyond the plot's edges", () => {
    expect([timeAt(0, 500, 900, 640), timeAt(640, 500, 900, 640)]).toEqual([500, 900]);
  });

  it("has the highest value at the top", () => {
    expect([yOf(10, { min: 0, max: 10 }, 200), yOf(0, { min: 0, max: 10 }, 200)]).toEqual([
      PLOT.top,
      200 - PLOT.bottom,
    ]);
  });
});

it("finds the nearest point within reach, at either end too", () => {
  const points = [10, 20, 40].map(point);
  const at = (time: number, reach = 100) => nearest(points, time, reach)?.time ?? null;
  expect([at(0), at(14), at(16), at(31), at(99)]).toEqual([10, 10, 20, 40, 40]);
  expect([at(30, 9), nearest([], 5, 100)]).toEqual([null, null]);
});

it("puts the label of a limit aside where one near it stands", () => {
  const limits = [
    { value: 19, label: "critical 19" },
    { value: 18.9, label: "warning 18.9" },
    { value: 18.8, label: "over again 18.8", below: true },
    { value: 10, label: "low 10" },
  ];
  expect(labelAsides(limits, { min: 0, max: 20 }, 256)).toEqual([0, 85, 0, 0]);
  expect(labelAsides(limits, { min: 18, max: 20 }, 456)).toEqual([0, 0, 0, 0]);
});

describe("stepped", () => {
  const lines = [{ points: [10, 30].map(at) }, { points: [20, 30, 90].map(at) }];
  function at(time: number) {
    return { time, start: time, value: 0, low: 0, high: 0, alone: false };
  }
  it("goes from point to point of all lines, and stops at the ends of the range", () => {
    expect(stepped(lines, null, -1, 0, 50)).toBe(30);
    expect(stepped(lines, 30, -1, 0, 50)).toBe(20);
    expect(stepped(lines, 20, 10, 0, 50)).toBe(30);
    expect(stepped(lines, 30, Number.NEGATIVE_INFINITY, 0, 50)).toBe(10);
    expect(stepped(lines, 10, -1, 0, 50)).toBe(10);
  });
  it("goes to the nearest on that side from between two, and from outside to the last", () => {
    expect([stepped(lines, 25, -1, 0, 50), stepped(lines, 25, 1, 0, 50)]).toEqual([20, 30]);
    expect(stepped(lines, 90, -1, 0, 50)).toBe(30);
    expect(stepped([], 25, 1, 0, 50)).toBe(null);
  });
});

test("a value that holds is read anywhere until the next one, not beyond the last", () => {
  const points = [10, 30].map((time) => ({ time, start: time, value: time, low: 0, high: 0, alone: false }));
  expect([5, 10, 29, 30, 32, 40].map((time) => heldAt(points, time, 5)?.value ?? null)).toEqual([
    10,
    10,
    10,
    30,
    30,
    null,
  ]);
});
