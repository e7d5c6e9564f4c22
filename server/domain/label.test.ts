import { expect, it } from "vitest";
import { readLabel } from "./label";

it.each([
  ["Werk Köln", "Werk Köln"],
  ["  CO2 meter ", "CO2 meter"],
  ["Ko\u0308ln", "Köln"],
  ['東京/第2, "工場" 🏭👩‍🔧', '東京/第2, "工場" 🏭👩‍🔧'],
  ["🏭".repeat(128), "🏭".repeat(128)],
  ["__proto__", "__proto__"],
  ["", null],
  [" \t\n", null],
  [null, null],
  [undefined, null],
])("keeps %j as %j", (value, label) => {
  expect(readLabel(value)).toEqual({ label });
});

it.each([
  [7, "must be text"],
  [true, "must be text"],
  [{ name: "x" }, "must be text"],
  [["x"], "must be text"],
  ["x".repeat(129), "128 characters long at most, it has 129"],
  ["a\u0000b", "control characters"],
  ["a\nb", "control characters"],
  ["a\u2028b", "control characters"],
  ["a\ud800b", "control characters"],
])("says why %j can't be kept", (value, problem) => {
  expect(readLabel(value)).toEqual({ problem: expect.stringContaining(problem) });
});
