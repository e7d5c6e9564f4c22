import { expect, it } from "vitest";
import { rangeOf, stretchAddress, stretchIn } from "./ranges";

it("falls back to one hour", () => {
  expect(rangeOf("7d").ms).toBe(604_800_000);
  expect(rangeOf("all").ms).toBe(null);
  expect(rangeOf("nonsense").key).toBe("1h");
  expect(rangeOf(null).key).toBe("1h");
});

it("reads two moments from an address, and nothing else", () => {
  const read = (query: string) => stretchIn(new URLSearchParams(query));
  const stretch = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 2) };
  expect(stretchIn(new URLSearchParams(stretchAddress(stretch)))).toEqual(stretch);
  for (const query of [
    "",
    "from=2026-01-01T00:00:00Z",
    "from=soon&to=later",
    "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
  ])
    expect(read(query)).toBe(null);
});
