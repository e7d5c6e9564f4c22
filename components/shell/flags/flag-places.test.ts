import { expect, test } from "vitest";
import { type Flag, placesOf } from "./flag-places";

const flag = (from: number, to: number, level: Flag["level"] = "suspect"): Flag => {
  return { metric: null, check: "gap", level, from, to, count: 1 };
};

test("flags lie where their time is, cut at the ends, and those that fail above", () => {
  const places = placesOf([flag(50, 60, "fail"), flag(0, 120), flag(150, 300), flag(90, 99), flag(200, 210)], 100, 200);
  expect(places.map(({ left, width }) => [left, width])).toEqual([
    [0, 20],
    [50, 50],
  ]);
  expect(placesOf([flag(110, 110, "fail"), flag(100, 150)], 100, 200).map(({ flag: { level } }) => level)).toEqual([
    "suspect",
    "fail",
  ]);
});
