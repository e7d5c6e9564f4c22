import { expect, test } from "vitest";
import { beforeOf } from "./order";

test("a view moves one place, and no further than the ends", () => {
  const views = [{ id: 5 }, { id: 7 }, { id: 6 }];
  const moved = (id: number, by: -1 | 1) => beforeOf(views, id, by);
  expect([moved(5, -1), moved(7, -1), moved(6, -1)]).toEqual([undefined, 5, 7]);
  expect([moved(5, 1), moved(7, 1), moved(6, 1)]).toEqual([6, null, undefined]);
  expect(moved(1, 1)).toBeUndefined();
});
