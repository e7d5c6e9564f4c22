import { expect, it } from "vitest";
import { groupNewest, type NewLetter } from "./new-letters";

const letter = (id: string, device: string | null, field: string | null = null): NewLetter => ({
  ...{ id, device, field, reason: "typeDrift", title: "Type changed", detail: "", ingestTime: "" },
});

it("tells of each device, field and reason once, by the newest", () => {
  const letters = [
    letter("5", "a", "t"),
    letter("4", "b"),
    letter("3", "a", "t"),
    letter("2", "a", "h"),
    letter("1", null),
  ];
  expect(groupNewest(letters, 3).map(({ id, count }) => [id, count])).toEqual([
    ["5", 2],
    ["4", 1],
    ["2", 1],
  ]);
  expect(groupNewest([], 3)).toEqual([]);
});
