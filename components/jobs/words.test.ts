import { expect, test } from "vitest";
import { formatUntil } from "../ui/format";
import { fixParts, intervalOf, placeOf, progressOf, tookOf } from "./words";

const HOURS = { one: "hour merged", many: "hours merged" };

test("intervals and times to come", () => {
  expect(intervalOf({ everySeconds: 600 })).toBe("Every 10 min");
  expect(intervalOf({ everySeconds: 3600 })).toBe("Every 1 h");
  expect(intervalOf({ everySeconds: null })).toBe("When asked for");
  expect(intervalOf({ everySeconds: 10 })).toBe("Every 10 s");
  expect(formatUntil(-5000)).toBe("now");
  expect(formatUntil(200_000)).toBe("in 3 min 20 s");
});

test("only work on dead letters is asked for on a page", () => {
  expect(placeOf({ name: "dead-letters" })?.href).toBe("/dead-letters");
  expect(placeOf({ name: "readings-upgrade" })).toBeUndefined();
});

test("how far a run is, and how long it took", () => {
  expect(progressOf({ state: "running", done: 1200, total: 5000 }, HOURS)).toBe("1,200 of 5,000 hours merged");
  expect(progressOf({ state: "running", done: 1200, total: null }, HOURS)).toBe("1,200 hours merged so far");
  expect(progressOf({ state: "done", done: 0, total: null }, HOURS)).toBe("nothing to do");
  expect(progressOf({ state: "done", done: 1, total: null }, HOURS)).toBe("1 hour merged");
  expect(progressOf({ state: "done", done: 7, total: null }, null)).toBe("7");
  expect(progressOf({ state: "stopped", done: 7, total: null }, null)).toBe("7");
  expect(tookOf({ startedAt: "2026-01-01T00:00:00Z", finishedAt: "2026-01-01T00:00:02Z" })).toBe("2 s");
  expect(tookOf({ startedAt: "2026-01-01T00:00:00Z", finishedAt: null })).toBeNull();
});

test("a fix in words and what can be copied", () => {
  expect(fixParts("See it; run `npm run worker`.")).toEqual([
    { text: "See it; run", isCommand: false },
    { text: "npm run worker", isCommand: true },
  ]);
});
