import { expect, it } from "vitest";
import { keepPlaces } from "./places";

it("keeps what stays wanted in its place and fills the others", () => {
  expect(keepPlaces([], ["a", "b", "c", "d"], 3)).toEqual(["a", "b", "c"]);
  expect(keepPlaces(["a", "b", "c"], ["c", "x", "b"], 3)).toEqual(["x", "b", "c"]);
  expect(keepPlaces(["a", "b", "c"], ["b"], 3)).toEqual(["b"]);
  expect(keepPlaces(["a"], ["z", "a"], 3)).toEqual(["a", "z"]);
});
