import { expect, test } from "vitest";
import { foldEvents } from "./fold-events";

test("what comes again and again is one row, what people did is not", () => {
  const event = (id: number, kind: string, by: string | null = null, note: string | null = null) => ({
    ...{ id, kind, by, note },
    reason: null,
  });
  const events = [
    event(1, "fired"),
    ...[2, 3, 4].map((id) => event(id, "stale")),
    event(5, "note", "Ada", "on it"),
    event(6, "note", "Ada", "done"),
    event(7, "stale"),
  ];
  expect(foldEvents(events).map(({ first, more, last }) => [first.id, more, last.id])).toEqual([
    ...[
      [1, 0, 1],
      [2, 2, 4],
      [5, 0, 5],
      [6, 0, 6],
      [7, 0, 7],
    ],
  ]);
});
