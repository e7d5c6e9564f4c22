import { expect, it } from "vitest";
import { besideOf } from "./beside";

it("takes all values of an address, whole, as some senders have no other place for data", () => {
  const values = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`m${i}`, String(i)]));
  const note = "n".repeat(3000);
  const url = `http://here/ingest/barn?${new URLSearchParams({ ...values, note, key: "fwi_secret" }).toString()}`;
  expect(besideOf({ url, headers: new Headers() }, 2).query).toEqual({ ...values, note });
});
