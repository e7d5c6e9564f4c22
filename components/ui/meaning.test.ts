import { expect, it } from "vitest";
import type { MetricView } from "@/server/contracts/metrics";
import { isGuessed, shownAs, unitOf } from "./meaning";

const NO_THRESHOLDS = { warning: { below: null, above: null }, critical: { below: null, above: null } };
const metric: MetricView = {
  ...{ name: "temperature", kind: "number", unit: "°C", min: null, max: null },
  ...{ meaning: "guessed", ownUnits: 0, units: [], firstSeen: "2026-01-01T00:00:00.000Z" },
  ...{ owner: null, kept: [], description: null, decimals: null, color: null, aliases: [], thresholds: NO_THRESHOLDS },
};

it("a device's own unit comes before the metric's, and is no guess", () => {
  expect(unitOf({ units: { temperature: "°F" } }, "temperature", metric)).toBe("°F");
  expect(unitOf({ units: {} }, "temperature", metric)).toBe("°C");
  expect(unitOf({ units: {} }, "toString", undefined)).toBeNull();
  expect(isGuessed({ units: { temperature: "°F" } }, metric)).toBe(false);
  expect(isGuessed({ units: {} }, metric)).toBe(true);
  expect(isGuessed({ units: {} }, { ...metric, unit: null })).toBe(false);
});

it("values are shown as their metric is, whichever way they came", () => {
  expect(shownAs(true, "number")).toBe(1);
  expect(shownAs(0, "boolean")).toBe(false);
  expect(shownAs(87, "number")).toBe(87);
  expect(shownAs("text", "boolean")).toBe("text");
  expect(shownAs(true, undefined)).toBe(true);
});
