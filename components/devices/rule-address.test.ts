import { expect, test } from "vitest";
import { limitBelow } from "./rule-address";

test("the limit lies just below a value, in three digits", () => {
  const values = [96.13, 96, 8931, 0.0123, -3.5, 100, 1e9, 0];
  expect(values.map(limitBelow)).toEqual(["96.1", "95.9", "8930", "0.0122", "-3.51", "99", "990000000", "-0.001"]);
  for (const value of values) expect(Number(limitBelow(value))).toBeLessThan(value);
});
