import { expect, test } from "vitest";
import { printable } from "./printable";

test("line breaks and tabs are a space; what can't be shown is seen as U+FFFD", () => {
  expect(printable('Unexpected token in {\r\n\t"a": nope')).toBe('Unexpected token in { "a": nope');
  expect(printable("a\u0000b")).toBe("a\ufffdb");
});
