import { expect, test } from "vitest";
import { estimateWords, selectedWords } from "./words";

test("what a rule is for, and what it will remove", () => {
  expect(selectedWords({ selects: "type", pattern: "press" })).toBe("Type of devices press");
  const before = { raw: null, minutes: null, hours: null };
  expect(estimateWords({ readings: 0, before })).toBe("It removes nothing.");
  const raw = "2026-08-01T00:00:00.000Z";
  expect(estimateWords({ readings: 0, before: { ...before, raw } })).toBe(
    "Nothing stored is of before 2026-08-01 now.",
  );
  expect(estimateWords({ readings: 1200, before: { ...before, raw } })).toBe(
    "In ten minutes a job begins to remove 1,200 readings from before 2026-08-01, which can’t be undone.",
  );
  expect(estimateWords({ readings: null, before: { raw, minutes: raw, hours: raw } })).toBe(
    "In ten minutes a job begins to remove all readings from before 2026-08-01, minutes from before 2026-08-01, and hours from before 2026-08-01, which can’t be undone.",
  );
});
