import { expect, test } from "vitest";
import { usageFor } from "./usage";

test("a command that is asked for help says how it is called, and does nothing", () => {
  expect(usageFor("support-bundle", ["--help"])).toContain("npm run support-bundle [-- --log FILE] [--out FILE]");
  expect(usageFor("doctor", ["--json", "-h"])).toContain("--strict");
  expect(usageFor("doctor", ["--json"])).toBeNull();
  expect(usageFor("replay", ["--help"]), "it has its own").toBeNull();
  expect(usageFor("toString", ["--help"])).toBeNull();
});
