import { expect, test } from "vitest";
import { nextWindows, openWindow, recurrenceProblem, windowsBetween } from "./windows";

const berlin = { cron: "0 2 * * 6", minutes: 120, zone: "Europe/Berlin" };
const at = (text: string) => Date.parse(text);

test("Saturday at two in Berlin is that on both sides of both changes of the clock", () => {
  const starts = (from: string, count: number) =>
    nextWindows(berlin, at(from), count).map((window) => new Date(window.from).toISOString());
  // Summer time began on Sunday 29 March 2026, and ended on Sunday 25 October.
  expect(starts("2026-03-20T00:00:00Z", 3)).toEqual([
    ...["2026-03-21T01:00:00.000Z", "2026-03-28T01:00:00.000Z", "2026-04-04T00:00:00.000Z"],
  ]);
  expect(starts("2026-10-16T00:00:00Z", 3)).toEqual([
    ...["2026-10-17T00:00:00.000Z", "2026-10-24T00:00:00.000Z", "2026-10-31T01:00:00.000Z"],
  ]);
});

test("a window that falls into the hour that isn't, or is twice, comes once", () => {
  const sunday = { cron: "30 2 * * 0", minutes: 30, zone: "Europe/Berlin" };
  const day = (text: string) => windowsBetween(sunday, at(`${text}T00:00:00Z`), at(`${text}T12:00:00Z`)).length;
  expect(day("2026-03-29")).toBe(1);
  expect(day("2026-10-25")).toBe(1);
});

test("a window is open from its first moment until before its end", () => {
  const start = at("2026-04-04T00:00:00Z");
  for (const [time, isOpen] of [
    [start - 1, false],
    [start, true],
    [start + 120 * 60_000 - 1, true],
    [start + 120 * 60_000, false],
  ] as const)
    expect([time - start, openWindow(berlin, time) !== null]).toEqual([time - start, isOpen]);
});

test("what never comes, comes too often or can't be read says so", () => {
  expect(recurrenceProblem(berlin)).toBeNull();
  expect(recurrenceProblem({ ...berlin, cron: "0 0 30 2 *" })).toBe("never comes");
  expect(recurrenceProblem({ ...berlin, cron: "0 * * * *" })).toBe("comes again before its window is over");
  expect(recurrenceProblem({ ...berlin, cron: "0 0 2 * * 6" })).toContain("five fields");
  expect(recurrenceProblem({ ...berlin, zone: "Mars/Base" })).toContain("can't be read");
});
