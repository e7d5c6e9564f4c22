import { expect, it } from "vitest";
import { besideOf } from "./beside";

it("takes what follows the source in the address, level by level; a slash at the end begins none", () => {
  const pathOf = (rest: string) => besideOf({ url: `http://here/ingest/barn${rest}`, headers: new Headers() }, 2).path;
  expect(["", "/", "/a", "/a/", "/a//b%2Fc", "/a//"].map(pathOf)).toEqual([
    ...[[], [], ["a"], ["a"], ["a", "", "b/c"], ["a", ""]],
  ]);
});

it("takes all values of an address, whole, as some senders have no other place for data", () => {
  const values = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`m${i}`, String(i)]));
  const note = "n".repeat(3000);
  const url = `http://here/ingest/barn?${new URLSearchParams({ ...values, note, key: "fwi_secret" }).toString()}`;
  expect(besideOf({ url, headers: new Headers() }, 2).query).toEqual({ ...values, note });
});
