import { expect, test } from "vitest";
import { alert } from "./testing-alert";
import { keepStill } from "./still";

test("rows stay in their places with what is new of them; those that are gone stay marked, new ones wait", () => {
  const before = ["1", "2", "3"].map((id) => alert({ id }));
  const now = [alert({ id: "4", severity: "critical" }), alert({ id: "3", severity: "critical" }), alert({ id: "1" })];
  const { rows, waiting } = keepStill(before, now);
  expect(rows.map(({ id, severity, isGone }) => [id, severity, isGone ?? false])).toEqual([
    ["1", "warning", false],
    ["2", "warning", true],
    ["3", "critical", false],
  ]);
  expect(waiting).toBe(1);
  expect(
    keepStill(rows, before).rows.every(({ isGone }) => !isGone),
    "one that comes back is there again",
  ).toBe(true);
});
