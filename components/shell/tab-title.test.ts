import { expect, it } from "vitest";
import { tabTitle } from "./tab-title";

it("names the page, and trouble before it", () => {
  expect(tabTitle("press-07", 0, true)).toBe("press-07 · Fieldwatch");
  expect(tabTitle("Health", 2, true)).toBe("(2 failing) Health · Fieldwatch");
  expect(tabTitle("Overview", 2, false)).toBe("(no answer) Overview · Fieldwatch");
});
