import { expect, test } from "vitest";
import { scoreMark, scoreWord } from "../ui/score-words";
import { partWord } from "./words";

test("nothing is whole by rounding, and unknown is no number", () => {
  expect([100, 99.97, 79.6, 0.4, null].map(scoreWord)).toEqual(["100", "99", "80", "0", "unknown"]);
  expect([1, 0.99999, 0.5, 0, null].map(partWord)).toEqual(["100 %", "99.9 %", "50 %", "0 %", "unknown"]);
  expect([100, 80, 79.9, 49, null].map(scoreMark)).toEqual(["ok", "ok", "warning", "failing", "unknown"]);
});
