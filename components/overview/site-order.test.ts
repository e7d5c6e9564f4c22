import { expect, it } from "vitest";
import { inTroubleOrder, type Site } from "./site-order";

const site = (name: string, live: number, stale = 0, silent = 0): Site => ({
  ...{ name, devices: live + stale + silent, states: { live, stale, silent, new: 0 }, lastSeen: null },
});

it("shows sites with overdue devices first, leaves out those without devices", () => {
  const sites = [site("b", 9), site("a", 1), site("empty", 0), site("c", 5, 1, 1), site("d", 1, 1)];
  expect(inTroubleOrder(sites).map(({ name }) => name)).toEqual(["c", "d", "a", "b"]);
});
