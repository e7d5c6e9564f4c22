import { expect, test } from "vitest";
import { drawLines } from "./time-chart-lines";

/** Records what is drawn, rounded, as text. */
function recorder() {
  const told: string[] = [];
  const context = new Proxy({} as CanvasRenderingContext2D, {
    get:
      (_, name: string) =>
      (...values: unknown[]) => {
        const rounded = values.map((value) => (typeof value === "number" ? Math.round(value) : ""));
        if (["moveTo", "lineTo", "fillRect"].includes(name)) told.push(`${name} ${rounded.join(" ")}`);
        if (["fill", "stroke"].includes(name)) told.push(name);
      },
    set: () => true,
  });
  return { told, context };
}

const frame = { from: 0, to: 100, scale: { min: 0, max: 10 }, width: 220, height: 156 };

test("a gap breaks the line and its band", () => {
  const { told, context } = recorder();
  const rows = [
    { time: 0, a: 0, b: [0, 10] },
    { time: 40, a: 10, b: [10, 10] },
    { time: 50, a: null, b: null },
    { time: 100, a: 5, b: [5, 5] },
  ];
  drawLines(context, { rows, series: [{ key: "a", label: "", color: "x", band: "b" }], expected: [], frame }, String);
  expect(told.join()).toBe(
    [
      ...["lineTo 60 28", "lineTo 100 28", "lineTo 100 28", "lineTo 60 128", "fill"],
      ...["lineTo 160 78", "lineTo 160 78", "fill"],
      ...["moveTo 60 128", "lineTo 60 128", "lineTo 100 28", "moveTo 160 78", "lineTo 160 78", "stroke"],
    ].join(),
  );
});

test("a value that holds turns at right angles, and what was usual lies beneath", () => {
  const { told, context } = recorder();
  const rows = [
    { time: 0, a: 0 },
    { time: 100, a: 10 },
  ];
  const expected = [{ from: 0, to: 50, low: 0, high: 10 }];
  drawLines(context, { rows, series: [{ key: "a", label: "", color: "x", step: true }], expected, frame }, String);
  expect(told).toEqual([
    ...["fillRect 60 28 50 100", "moveTo 60 128", "lineTo 60 128", "lineTo 160 128", "lineTo 160 28", "stroke"],
  ]);
});
