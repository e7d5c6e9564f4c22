import { expect, test } from "vitest";
import { looksLikeNumber } from "./looks-like-number";

test.each([
  ["20.5", true],
  [" -1,013.2 ", true],
  ["+1e-7", true],
  [20.5, false],
  [true, false],
  ["", false],
  ["ON", false],
  ["1.2 bar", false],
  ["2026-11-28", false],
  ["0x10", false],
])("%j", (value, is) => expect(looksLikeNumber(value)).toBe(is));
