import { expect, test } from "vitest";
import { plainChange } from "./plain-change";

test("a change is told without backquotes, and a link by its words", () => {
  expect(plainChange("`erase=true` erases a device: [privacy](docs/privacy.md) [sic]")).toBe(
    "erase=true erases a device: privacy [sic]",
  );
});
