import { expect, test } from "vitest";
import { changedAddress, filterOf, filterWords, groupName, readView } from "./view";

const view = (query: string) => readView(new URLSearchParams(query));

test("an address without anything shows open ones, the newest first", () => {
  expect(view("")).toEqual({ status: "open", filter: {}, sort: "lastSeen", group: null, letter: null });
});

test("what an address can't mean is left out", () => {
  expect(view("status=lost&reason=toString&sort=id&group=a/b/c&letter=")).toEqual(view(""));
  expect(view("group=notJson/%E0%A4%A/").group).toBeNull();
});

test("a group's name leads back to it, whatever its field is called", () => {
  for (const field of [null, "temperature", "a/b c%", "ü?&="]) {
    const group = { reason: "typeDrift", device: "press-07", field } as const;
    const address = changedAddress(new URLSearchParams(), { group: groupName(group) });
    expect(view(address.toString()).group).toEqual(group);
  }
});

test("empty is a value: no device, the whole message", () => {
  expect(view("device=").filter).toEqual({ device: "" });
  expect(filterOf({ reason: "notJson", device: null, field: null })).toEqual({
    reason: "notJson",
    device: "",
    field: "",
  });
});

test("reason, device and field together open their group", () => {
  expect(view("reason=notJson&device=&field=").group).toEqual({ reason: "notJson", device: null, field: null });
  expect(view("reason=notJson&device=a").group).toBeNull();
});

test("a filter in words", () => {
  expect(filterWords({})).toBe("all dead letters");
  expect(filterWords({ reason: "typeDrift", device: "press-07", field: "t" })).toBe("Type changed · press-07 · t");
  expect(filterWords({ device: "", field: "" })).toBe("no device · whole message");
});
