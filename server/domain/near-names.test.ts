import { expect, test } from "vitest";
import { nearNames, noSuchSite } from "./near-names";

test("a slip of a name is told by those it may be meant for, nearest first", () => {
  const sites = ["north", "north-2", "south", "Werk Süd", "x"];
  expect(nearNames("nrth", sites)).toEqual(["north", "north-2"]);
  expect(nearNames("North 2", sites)).toEqual(["north-2", "north"]);
  expect(nearNames("werk-süd", sites)).toEqual(["Werk Süd"]);
  expect(nearNames("east", sites)).toEqual([]);
  expect(noSuchSite("nrth", sites)).toBe("There is no site nrth. Is north or north-2 meant?");
  expect(noSuchSite("east", sites)).toBe("There is no site east.");
});
