import { expect, test } from "vitest";
import { readLabel } from "./label";
import { readable } from "./readable";

const TURNING = ["\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"];

test("what turns the direction of text is seen, and turns nothing", () => {
  for (const control of TURNING) expect(readable(`a${control}gnp.exe`)).toBe("a\ufffdgnp.exe");
  expect(readable("north")).toBe("north");
});

test("letters of every script stay, and the marks they are written with", () => {
  for (const text of ["שלום\u200f 7", "مصنع", "Störung", "工場 3", "👷‍♀️"]) expect(readable(text)).toBe(text);
});

test("no label is kept with one", () => {
  for (const control of TURNING) expect(readLabel(`a${control}b`)).toHaveProperty("problem");
});
