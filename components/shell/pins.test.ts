import { describe, expect, it } from "vitest";
import { MOST_PINS, readPins, togglePin } from "./pins";

describe("readPins", () => {
  it("takes what was kept and leaves out what is no pin", () => {
    const kept = JSON.stringify([{ device: "a", metric: "t" }, { device: "a" }, null, { device: 1 }, { device: "b" }]);
    expect(readPins(kept)).toEqual([
      { device: "a", metric: "t" },
      { device: "b", metric: null },
    ]);
    expect(readPins("no json")).toEqual([]);
    expect(readPins("{}")).toEqual([]);
    expect(readPins(null)).toEqual([]);
  });
});

describe("togglePin", () => {
  it("adds, takes away, and lets the oldest go when full", () => {
    const a = { device: "a", metric: null };
    expect(togglePin([], a)).toEqual([a]);
    expect(togglePin([a], { device: "a", metric: "t" })).toEqual([]);
    const full = Array.from({ length: MOST_PINS }, (_, i) => ({ device: `d${i}`, metric: null }));
    expect(togglePin(full, a).map(({ device }) => device)).toEqual(["d1", "d2", "d3", "d4", "d5", "a"]);
  });
});
