import { expect, test } from "vitest";
import { formatDuration, formatSeconds } from "./duration";

test.each([
  [0, "0 s"],
  [0.05, "50 µs"],
  [0.0349, "35 µs"],
  [0.123, "120 µs"],
  [0.0000004, "0.0004 µs"],
  [1, "1 ms"],
  [4.2, "4.2 ms"],
  [12.04, "12 ms"],
  [999.6, "1 s"],
  [1240, "1.24 s"],
  [2000, "2 s"],
  [59_960, "1 min"],
  [125_000, "2 min 5 s"],
  [11_400_000, "3 h 10 min"],
  [187_200_000, "2 d 4 h"],
])("writes %s ms as %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

test.each([
  [0, "0 s"],
  [0.04, "< 0.1 s"],
  [0.3, "0.3 s"],
  [3, "3 s"],
  [9.96, "10 s"],
  [12.4, "12 s"],
  [90, "1 min 30 s"],
])("writes %s s that change as %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));
