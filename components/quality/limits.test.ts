import { expect, test } from "vitest";
import { ALL_DEFAULTS } from "@/server/domain/quality/all-limits";
import { fallbackOf, faultsOf } from "./limits";

test("a limit that isn't set here tells what holds instead, and whence", () => {
  const nobody = { defaults: ALL_DEFAULTS, forAll: undefined, range: { min: -40, max: null } };
  expect(fallbackOf("spikeSteps", nobody)).toBe("8, the default");
  expect(fallbackOf("usualMargin", nobody)).toBe("0.25, the default");
  expect(fallbackOf("min", nobody)).toBe("-40, the metric’s valid range");
  expect(fallbackOf("max", nobody)).toBe("no limit: the metric has no valid range");
  const limits = { spikeSteps: null, min: 3 };
  const forAll = { metric: "heat", device: null, limits, updatedAt: "2026-01-15T00:00:00.000Z", updatedBy: "Ada" };
  expect(fallbackOf("spikeSteps", { ...nobody, forAll })).toBe("off, set for all devices by Ada");
  expect(fallbackOf("min", { ...nobody, forAll })).toBe("3, set for all devices by Ada");
  expect(fallbackOf("stuckTimes", { ...nobody, forAll })).toBe("5, the default");
});

test("a draft says what is wrong with it, as the server would", () => {
  expect(faultsOf({ min: 1, max: 2, spikeSteps: null, unitMargin: 0 })).toEqual({});
  expect(faultsOf({ min: 3, max: 2, spikeSteps: 0.5, stuckTimes: "" })).toEqual({
    max: "Below the lowest value",
    spikeSteps: "At least 1",
    stuckTimes: "Give a number",
  });
});
