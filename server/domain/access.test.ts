import { expect, test } from "vitest";
import {
  type Caller,
  type Grant,
  KEY_KINDS,
  type KeyKind,
  nameOf,
  NOBODY,
  type Permission,
  PERMISSIONS,
  ROLES,
  sitesOf,
  SYSTEM,
} from "./access";

function person(...grants: Grant[]): Caller {
  return { kind: "user", accountId: 1, name: "Ada", sessionId: "s", provenAt: 0, grants };
}

function key(of: KeyKind, siteId: number | null, ...grants: Grant[]): Caller {
  return { kind: "key", keyId: "k", name: "line 7", of, siteId, device: of === "device" ? "press-1" : null, grants };
}

const TABLE: Record<Permission, string> = {
  view: "viewer operator editor admin",
  "view-messages": "operator editor admin",
  operate: "operator editor admin",
  send: "operator editor admin site device",
  deliver: "operator editor admin source",
  catalog: "viewer operator editor admin site",
  declare: "editor admin site",
  edit: "editor admin",
  "make-keys": "editor admin",
  administer: "admin",
};

test("roles and kinds of keys hold the permissions of the table, and no others", () => {
  const holders = (permission: Permission) => [
    ...ROLES.filter((role) => sitesOf(person({ role, siteId: null }), permission) === "all"),
    ...KEY_KINDS.filter((kind) => sitesOf(key(kind, null), permission) === "all"),
  ];
  expect(Object.fromEntries(PERMISSIONS.map((name) => [name, holders(name).join(" ")]))).toEqual(TABLE);
});

test("a key of a program holds what its roles hold", () => {
  for (const role of ROLES) {
    const grant = { role, siteId: null };
    for (const permission of PERMISSIONS)
      expect(sitesOf(key("service", null, grant), permission)).toEqual(sitesOf(person(grant), permission));
  }
});

test("a permission counts only at the site of the grant it comes from", () => {
  const both = person({ role: "viewer", siteId: 1 }, { role: "editor", siteId: 2 });
  expect(sitesOf(both, "view")).toEqual([1, 2]);
  expect(sitesOf(both, "edit")).toEqual([2]);
  expect(sitesOf(both, "administer")).toEqual([]);
  const mixed = person(
    { role: "viewer", siteId: null },
    { role: "operator", siteId: 7 },
    { role: "editor", siteId: 7 },
  );
  expect(sitesOf(mixed, "view")).toBe("all");
  expect(sitesOf(mixed, "operate")).toEqual([7]);
  expect(sitesOf(key("site", 3), "send")).toEqual([3]);
  expect(sitesOf(key("site", 3, { role: "viewer", siteId: 4 }), "catalog")).toEqual([3, 4]);
});

test("nobody holds nothing, and the system everything", () => {
  for (const permission of PERMISSIONS) {
    expect(sitesOf(NOBODY, permission)).toEqual([]);
    expect(sitesOf(person(), permission)).toEqual([]);
    expect(sitesOf(SYSTEM, permission)).toBe("all");
  }
  expect([NOBODY, SYSTEM, person(), key("site", null)].map(nameOf)).toEqual(["nobody", "system", "Ada", "line 7"]);
});
