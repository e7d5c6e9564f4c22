import { expect, it } from "vitest";
import { metricColor } from "../ui/theme";
import { chartGroups } from "./chart-groups";

const metric = (name: string, unit: string | null, kind: "number" | "boolean" = "number") => ({
  metric: name,
  unit,
  kind,
});
const names = (metrics: ReturnType<typeof metric>[]) =>
  chartGroups(metrics).map((group) => group.map((one) => one.metric));

it("puts metrics of one unit into one chart, and the others into their own", () => {
  expect(metricColor("co")).not.toBe(metricColor("smoke"));
  expect(
    names([
      metric("co", "ppm"),
      metric("temperature", "°C"),
      metric("smoke", "ppm"),
      metric("door", null, "boolean"),
      metric("x", null),
    ]),
  ).toEqual([["co", "smoke"], ["temperature"], ["door"], ["x"]]);
});

it("never draws two lines of one color in a chart", () => {
  const many = Array.from({ length: 40 }, (_, i) => metric(`t${i}`, "°C"));
  for (const group of chartGroups(many)) {
    const colors = group.map((one) => metricColor(one.metric));
    expect(new Set(colors).size).toBe(colors.length);
  }
});
