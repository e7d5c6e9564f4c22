import { describe, expect, it } from "vitest";
import { sparklinePath } from "./sparkline-path";

describe("sparklinePath", () => {
  it("breaks the line at a gap and marks the newest value", () => {
    const { path, last } = sparklinePath([1, 2, null, 2, 1], 96, 24);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(last).toEqual([93, 12]);
  });

  it("draws a lone value as a dot", () => expect(sparklinePath([null, 5, null], 96, 24).path).toBe("M48 3h0.1"));

  it("draws zeros on the foot and nothing from nothing", () => {
    expect(sparklinePath([0, 0], 96, 24).path).toBe("M3 21L93 21");
    expect(sparklinePath([], 96, 24)).toEqual({ path: "", last: null });
    expect(sparklinePath([null, null], 96, 24)).toEqual({ path: "", last: null });
  });
});
