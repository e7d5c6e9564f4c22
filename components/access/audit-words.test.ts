import { expect, it } from "vitest";
import { outcomeIn, outcomeOf, toldIn, verbIn, verbWords } from "./audit-words";

it("says a verb in words", () => {
  expect(verbWords("signInByLink")).toBe("Sign in by link");
  expect(verbWords("addUser")).toBe("Add user");
  expect(verbWords("ingest")).toBe("Ingest");
});

it("takes only outcomes there are from an address", () => {
  expect(outcomeIn("denied")).toBe("denied");
  for (const other of [null, "", "Denied", "toString"]) expect(outcomeIn(other)).toBeNull();
});

it("tells what was there before and is there now, where it differs", () => {
  const line = (what: string, before?: string, after?: string) => ({ what, before, after });
  expect(
    toldIn({
      before: { site: "north", notes: null, units: { a: "°C" }, disabled: false },
      after: { site: "north", notes: "new", units: { a: "°F", b: "V" }, disabled: true },
    }),
  ).toEqual([
    line("notes", "none", "new"),
    line("units.a", "°C", "°F"),
    line("disabled", "no", "yes"),
    line("units.b", undefined, "V"),
  ]);
  expect(toldIn({ before: { kind: "number" }, after: null })).toEqual([
    line("kind", "number"),
    line("All of it", undefined, "none"),
  ]);
  expect(toldIn({ asked: { action: "discard", filter: { reason: "notJson" } }, ended: 3 })).toEqual([
    line("action", undefined, "discard"),
    line("filter.reason", undefined, "notJson"),
    line("ended", undefined, "3"),
  ]);
  expect(
    toldIn({
      grants: [
        { role: "viewer", site: null },
        { role: "editor", site: "north" },
      ],
    })[0]!.after,
  ).toBe("role: viewer, site: none, role: editor, site: north");
  for (const nothing of [null, undefined, "x", []]) expect(toldIn(nothing)).toEqual([]);
});

it("says when nobody knows what came of it", () => {
  expect(outcomeOf({ outcome: "tried", unsettled: true })[1]).toBe("Outcome unknown");
  expect(outcomeOf({ outcome: "tried", unsettled: false })[1]).toBe("Tried");
});

it("reads a verb from its name and from its words", () => {
  for (const verb of ["addUser", "signInByLink", "listDeadLetters"]) {
    expect(verbIn(verb)).toBe(verb);
    expect(verbIn(` ${verbWords(verb)} `)).toBe(verb);
  }
  expect(verbIn(" ")).toBe("");
});
