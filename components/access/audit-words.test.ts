import { expect, it } from "vitest";
import { outcomeIn, verbWords } from "./audit-words";

it("says a verb in words", () => {
  expect(verbWords("signInByLink")).toBe("Sign in by link");
  expect(verbWords("addUser")).toBe("Add user");
  expect(verbWords("ingest")).toBe("Ingest");
});

it("takes only outcomes there are from an address", () => {
  expect(outcomeIn("denied")).toBe("denied");
  for (const other of [null, "", "Denied", "toString"]) expect(outcomeIn(other)).toBeNull();
});
