import { expect, test } from "vitest";
import { counted } from "./counted";

test.each([
  [0, "0 messages"],
  [1, "1 message"],
  [1200, "1,200 messages"],
  [1.5, "1.5 messages"],
])("%d is told as %s", (count, words) => {
  expect(counted(count, "message")).toBe(words);
});

test("a word with a plural of its own", () => {
  expect(counted(1, "copy", "copies")).toBe("1 copy");
  expect(counted(2, "copy", "copies")).toBe("2 copies");
});
