import { expect, test } from "vitest";
import type { UserGrant } from "@/server/contracts/access";
import type { Role } from "@/server/domain/access";
import { administers, changesIn, coveredBy, isSame, rolesWord } from "./grants-words";

const at = (role: Role, site: string | null = null): UserGrant => ({ role, site });

test("roles are told with where they hold; one of everywhere needs no place", () => {
  expect(rolesWord([])).toBe("No role");
  expect(rolesWord([at("admin")])).toBe("Admin");
  expect(rolesWord([at("viewer"), at("operator")])).toBe("Operator");
  expect(rolesWord([at("viewer"), at("editor", "south")])).toBe("Viewer at all sites, Editor at south");
});

test("what a change does is told place by place, and order is no change", () => {
  const before = [at("viewer", "north"), at("editor", "south"), at("operator", "west")];
  const after = [at("editor", "south"), at("admin", "north"), at("viewer")];
  expect(changesIn(before, after)).toEqual([
    "Viewer at north becomes Admin",
    "Operator at west is taken away",
    "Viewer at all sites is new",
  ]);
  expect(changesIn(before, [...before].reverse())).toEqual([]);
  expect(isSame(before, [...before].reverse())).toBe(true);
  expect(isSame(before, after)).toBe(false);
  // A site may be called anything.
  expect(isSame([at("viewer", "all sites")], [at("viewer")])).toBe(false);
});

test("a role that another one holds already is found, of two alike the second", () => {
  const grants = [at("operator"), at("viewer", "north"), at("editor", "north"), at("editor", "north")];
  expect(grants.map((_, i) => coveredBy(grants, i))).toEqual([null, grants[0], null, grants[2]]);
  expect(coveredBy([at("editor"), at("admin", "north")], 1)).toBeNull();
});

test("only an admin of all sites administers", () => {
  expect(administers([at("admin", "north")])).toBe(false);
  expect(administers([at("viewer"), at("admin")])).toBe(true);
});
