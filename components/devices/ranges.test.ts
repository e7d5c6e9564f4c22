import { expect, it } from "vitest";
import { rangeOf } from "./ranges";

it("falls back to one hour", () => {
  expect(rangeOf("7d").ms).toBe(604_800_000);
  expect(rangeOf("all").ms).toBe(null);
  expect(rangeOf("nonsense").key).toBe("1h");
  expect(rangeOf(null).key).toBe("1h");
});
