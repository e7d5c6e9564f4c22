import { expect, test } from "vitest";
import { strokesOf } from "./time-chart-paper";

test("the lines of a chart are on paper what they are on the screen: bands, then lines with their gaps", () => {
  const rows = [
    { time: 0, a: 1, band: [0, 2] as const },
    { time: 50, a: null, band: null },
    { time: 100, a: 2, band: [1, 3] as const },
  ];
  const series = [{ key: "a", label: "a", color: "var(--fw-chart-1)", band: "band" }];
  const frame = { from: 0, to: 100, scale: { min: 0, max: 4 }, width: 300, height: 200 };
  const strokes = strokesOf({ rows, series, expected: [{ from: 0, to: 100, low: 1, high: 2 }], frame });
  expect(strokes.map(({ isFilled, opacity }) => [isFilled, opacity])).toEqual([
    ...[[true, 0.12] as const, [true, 0.12] as const, [true, 0.12] as const, [false, 1] as const],
  ]);
  const line = strokes.at(-1)!;
  expect(line).toMatchObject({ color: "var(--fw-chart-1)", width: 1.5 });
  expect(line.d.match(/M/g)).toHaveLength(2);
  expect(strokes.every(({ d }) => /^(?:[ML][\d.]+ [\d.]+)+Z?$/.test(d))).toBe(true);
});
