import { expect, test } from "vitest";
import { inOrder, isFound, type ListedMetric, listedMetrics, nextSort, ONLY, readWanted } from "./listed";

const NO_THRESHOLDS = { warning: { below: null, above: null }, critical: { below: null, above: null } };
const metric = (name: string, more: Partial<ListedMetric> = {}): ListedMetric => ({
  ...{ name, kind: "number", unit: null, min: null, max: null, meaning: "none", ownUnits: 0, units: [], devices: 1 },
  ...{ firstSeen: "2026-01-01T00:00:00.000Z", lastEventTime: null },
  ...{ owner: null, kept: [], description: null, decimals: null, color: null, aliases: [], thresholds: NO_THRESHOLDS },
  ...more,
});
const names = (metrics: readonly ListedMetric[]) => metrics.map(({ name }) => name);

test("use is unknown until it is loaded, and none for what no device has", () => {
  const [door] = listedMetrics([metric("door")], undefined);
  expect(door).toMatchObject({ devices: null, lastEventTime: null });
  const last = "2026-11-28T00:00:00.000Z";
  const listed = listedMetrics([metric("a"), metric("b")], [{ name: "a", devices: 3, lastEventTime: last }]);
  expect(listed.map(({ devices, lastEventTime }) => [devices, lastEventTime])).toEqual([
    [3, last],
    [0, null],
  ]);
  expect(ONLY.unused.holds(door!)).toBe(false);
});

test("every column sorts both ways; what has no value stays last", () => {
  const metrics = [
    metric("b", { unit: "bar", devices: 2, lastEventTime: "2026-11-28T00:00:00.000Z" }),
    metric("a", { unit: "°C", devices: 2, kind: "boolean" }),
    metric("c", { devices: null, lastEventTime: "2026-11-27T00:00:00.000Z" }),
  ];
  expect(names(inOrder(metrics, "name"))).toEqual(["a", "b", "c"]);
  expect(names(inOrder(metrics, "-name"))).toEqual(["c", "b", "a"]);
  expect(names(inOrder(metrics, "unit"))).toEqual(["b", "a", "c"]);
  expect(names(inOrder(metrics, "-unit"))).toEqual(["a", "b", "c"]);
  expect(names(inOrder(metrics, "-devices"))).toEqual(["a", "b", "c"]);
  expect(names(inOrder(metrics, "-lastEventTime"))).toEqual(["b", "c", "a"]);
  expect(names(inOrder(metrics, "kind"))).toEqual(["a", "b", "c"]);
});

test("a click on a head sorts by it, a second one turns around", () => {
  expect(nextSort("name", "name")).toBe("-name");
  expect(nextSort("name", "devices")).toBe("-devices");
  expect(nextSort("-devices", "devices")).toBe("devices");
  expect(nextSort("devices", "unit")).toBe("unit");
});

test("an address that asks for what there isn't asks for nothing", () => {
  expect(readWanted(new URLSearchParams("only=toString&sort=-x&search=t"))).toEqual({
    ...{ search: "t", only: null, sort: "name" },
  });
  expect(readWanted(new URLSearchParams("only=unused&sort=-devices"))).toMatchObject({
    ...{ only: "unused", sort: "-devices" },
  });
});

test("a number lacks a unit where neither it nor all of its devices have one", () => {
  const lacks = (more: Partial<ListedMetric>) => ONLY["no-unit"].holds(metric("x", more));
  expect(lacks({})).toBe(true);
  expect(lacks({ unit: "V" })).toBe(false);
  expect(lacks({ kind: "boolean" })).toBe(false);
  expect(lacks({ devices: 3, ownUnits: 2 })).toBe(true);
  expect(lacks({ devices: 3, ownUnits: 3 })).toBe(false);
  expect(lacks({ devices: null, ownUnits: 1 })).toBe(false);
});

test("a metric is found by part of its name or its unit", () => {
  expect(isFound(metric("motor.Temp", { unit: "°C" }), "temp")).toBe(true);
  expect(isFound(metric("x", { unit: "°C" }), "°c")).toBe(true);
  expect(isFound(metric("x", { owner: "Climate team" }), "climate")).toBe(true);
  expect(isFound(metric("x"), "y")).toBe(false);
});
