import { expect, test } from "vitest";
import { difference, refreshed } from "./held";

const keyOf = ({ id }: { id: string }) => id;
const row = (id: string, n = 0) => ({ id, n });
const rows = [row("a"), row("b")].map((item) => ({ item, isGone: false }));

test("rows keep their places, take what is new about them, and stay when they are gone", () => {
  expect(refreshed(rows, [row("c"), row("b", 5)], keyOf)).toEqual([
    { item: row("a"), isGone: true },
    { item: row("b", 5), isGone: false },
  ]);
});

test("tells what a look anew would bring", () => {
  expect(difference(rows, [row("a"), row("b", 9)], keyOf)).toEqual({ added: 0, isOther: false });
  expect(difference(rows, [row("b"), row("a")], keyOf)).toEqual({ added: 0, isOther: true });
  expect(difference(rows, [row("c"), row("a"), row("b")], keyOf)).toEqual({ added: 1, isOther: true });
  expect(difference(rows, [row("a")], keyOf)).toEqual({ added: 0, isOther: true });
});
