import { expect, test } from "vitest";
import { ownRoleWord } from "./roles";

test("a role that doesn't hold everywhere is not told as if it did", () => {
  expect(ownRoleWord({ role: "viewer", permissions: ["view"], everywhere: ["view"] })).toBe("Viewer");
  expect(ownRoleWord({ role: "editor", permissions: ["view", "edit"], everywhere: ["view"] })).toBe(
    "Editor at some sites",
  );
  expect(ownRoleWord({ role: null, permissions: [], everywhere: [] })).toBe("No role");
});
