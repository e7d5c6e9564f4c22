import { expect, test } from "vitest";
import { isTelling, nameFinder, sqlWordPattern } from "./erased";

const holds = (text: string, name = "pump-1") => nameFinder(name)(Buffer.from(text));

test("a name is found as a word of its own, not within another's", () => {
  for (const text of ['{"device":"pump-1"}', "pump-1 broke", "of pump-1.", "(pump-1)", '{"pump-1": 3}'])
    expect([text, holds(text)]).toEqual([text, true]);
  for (const text of ["pump-10", "gw:pump-1", "pump-1.2", "a/pump-1", "xpump-1", "pump-1-b", "pümp-1"])
    expect([text, holds(text)]).toEqual([text, false]);
  // What JSON writes otherwise is found as it writes it.
  expect(holds('{"device":"a\\\\b-1"}', "a\\b-1")).toBe(true);
});

test("a name that may mean something else is looked for as a string of JSON alone", () => {
  expect(["pump", "12", "a-1", "kitchen"].filter(isTelling)).toEqual([]);
  expect(["pump-1", "02:fd:00", "kitchen2"].filter(isTelling)).toHaveLength(3);
  expect(holds("the pump broke", "pump")).toBe(false);
  expect(holds('{"device":"pump"}', "pump")).toBe(true);
});

test("signs of a name are no signs of an expression", () => {
  expect(sqlWordPattern("a.b+1")).toContain("a\\.b\\+1");
});
