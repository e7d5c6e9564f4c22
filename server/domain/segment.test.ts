import fc from "fast-check";
import { expect, test } from "vitest";
import { fromSegment, toSegment } from "./segment";

const pathOf = (segment: string) => new URL(`/devices/${segment}/readings`, "http://here").pathname.split("/");

test("names keep their addresses", () => {
  for (const name of ["press-07", "a.b", "...", "a:b_c"]) expect(toSegment(name)).toBe(encodeURIComponent(name));
});

test.each([".", "..", "page.rsc", "__proto__"])("%j, which an earlier version took, has an address", (name) => {
  const path = pathOf(toSegment(name));
  expect(path).toHaveLength(4);
  expect(path[2]).not.toMatch(/\.rsc$/);
  expect(fromSegment(decodeURIComponent(path[2]!))).toBe(name);
});

test("any text comes back as it was", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[.~%/]{1,4}$/)), (name) => {
      expect(fromSegment(decodeURIComponent(toSegment(name)))).toBe(name);
    }),
  );
});
