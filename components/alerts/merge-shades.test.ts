import { expect, test } from "vitest";
import { mergeShades } from "./merge-shades";

test("shades of a color that overlap are one", () => {
  const shade = (from: number, to: number, color = "warn") => ({ from, to, color });
  expect(
    mergeShades([shade(5, 7), shade(0, 2), shade(1, 3), shade(2, 4, "fail"), shade(3, 3.5), shade(6, 6.5)]),
  ).toEqual([...[shade(0, 3.5), shade(2, 4, "fail"), shade(5, 7)]]);
  expect(mergeShades([])).toEqual([]);
});
