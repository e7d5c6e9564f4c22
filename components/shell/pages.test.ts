import { expect, test } from "vitest";
import { PERMISSIONS, ROLES, sitesOf, type Caller, type Grant } from "@/server/domain/access";
import { openPages } from "./pages";

function pagesOf(grants: readonly Grant[]): string[] {
  const caller: Caller = { kind: "user", accountId: 1, name: "Ada", sessionId: "s", provenAt: 0, grants };
  const me = {
    permissions: PERMISSIONS.filter((permission) => sitesOf(caller, permission).length > 0),
    everywhere: PERMISSIONS.filter((permission) => sitesOf(caller, permission) === "all"),
  };
  return openPages(me).all.map(({ label }) => label);
}

const OF_SITES = [
  "Overview",
  "Devices",
  "Explore",
  "Alerts",
  "Events",
  "Metrics",
  "Quality",
  "Sources",
  "Dead letters",
];
const OF_ALL = [
  "Overview",
  "Devices",
  "Explore",
  "Alerts",
  "Events",
  "Metrics",
  "Quality",
  "Sources",
  "Pipeline",
  "Dead letters",
  "Jobs",
  "Retention",
  "Health",
];

test("who sees some sites alone is offered what is of sites, whatever their role there", () => {
  for (const role of ROLES)
    expect(pagesOf([{ role, siteId: 1 }])).toEqual([
      ...OF_SITES,
      ...(role === "editor" || role === "admin" ? ["Keys"] : []),
      "My account",
    ]);
});

test("who sees all sites is offered all, and who administers all the pages about people", () => {
  expect(pagesOf([{ role: "viewer", siteId: null }])).toEqual([...OF_ALL, "My account"]);
  expect(pagesOf([{ role: "viewer", siteId: null }, { role: "admin", siteId: 1 }])).toEqual([...OF_ALL, "Keys", "My account"]); // prettier-ignore
  expect(pagesOf([{ role: "admin", siteId: null }])).toEqual([
    ...OF_ALL,
    ...["Users", "Keys", "Sign-in settings", "Audit", "My account"],
  ]);
});

test("until it is known who asks, the navigation is as most people have it", () => {
  expect(openPages(undefined).pages.map(({ label }) => label)).toEqual(OF_ALL);
  expect(openPages(undefined).adminPages).toEqual([]);
});
