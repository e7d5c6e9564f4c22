import { describe, expect, it } from "vitest";
import { PAGES } from "@/server/contracts/pages";
import { readGoKey } from "./go-keys";

describe("readGoKey", () => {
  const after = (keys: readonly (readonly [key: string, at: number])[]) => {
    let state: number | null = null;
    let href: string | null = null;
    for (const [key, at] of keys) ({ state, href } = readGoKey(PAGES, state, key, at));
    return href;
  };

  it("goes to the page that the key after g names", () => {
    expect(after([["g", 0], ["d", 300]])).toBe("/devices"); // prettier-ignore
    expect(after([["g", 0], ["o", 300]])).toBe("/"); // prettier-ignore
  });

  it("means nothing alone, too late, or after another key", () => {
    expect(after([["d", 0]])).toBeNull();
    expect(after([["g", 0], ["d", 2000]])).toBeNull(); // prettier-ignore
    expect(after([["g", 0], ["x", 100], ["d", 200]])).toBeNull(); // prettier-ignore
  });

  it("begins anew with every g", () => {
    expect(after([["g", 0], ["g", 1000], ["h", 2000]])).toBe("/health"); // prettier-ignore
  });
});
