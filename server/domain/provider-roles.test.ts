import { expect, test } from "vitest";
import { groupsIn, readRoleRules } from "./provider-roles";

test("rules give a role to a group, everywhere or at one site", () => {
  expect(readRoleRules("fieldwatch-admins=admin; plant-a-ops = operator:plant-a ;")).toEqual([
    { group: "fieldwatch-admins", role: "admin", site: null },
    { group: "plant-a-ops", role: "operator", site: "plant-a" },
  ]);
  expect(readRoleRules("CN=ops,DC=example=viewer:a:b;urn:x:y=editor")).toEqual([
    { group: "CN=ops,DC=example", role: "viewer", site: "a:b" },
    { group: "urn:x:y", role: "editor", site: null },
  ]);
  expect(readRoleRules("")).toEqual([]);
});

test("what is no rule is named", () => {
  for (const wrong of ["ops", "ops=boss", "=admin", "ops=admin:", "ops=admin plant"])
    expect(readRoleRules(`a=viewer;${wrong}`)).toEqual({ wrong });
});

test("groups stand in a claim by its name, or by the way to it", () => {
  expect(groupsIn({ groups: ["a", 1, "b", null] }, "groups")).toEqual(["a", "b"]);
  expect(groupsIn({ groups: "a" }, "groups")).toEqual(["a"]);
  expect(groupsIn({ realm_access: { roles: ["a"] } }, "realm_access.roles")).toEqual(["a"]);
  expect(groupsIn({ "https://x.example/groups": ["a"] }, "https://x.example/groups")).toEqual(["a"]);
  for (const claims of [{}, { groups: 1 }, { groups: { a: 1 } }, Object.create({ groups: ["a"] }) as object])
    expect(groupsIn(claims as Record<string, unknown>, "groups")).toBeNull();
});
