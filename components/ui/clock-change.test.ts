import { afterAll, describe, expect, it } from "vitest";
import { formatTick, wallClock } from "./format";
import { readRange, stretchIn } from "./ranges";
import { timeTicks } from "./time-ticks";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const before = process.env.TZ;
afterAll(() => {
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});

/** Clock changes: the zone, the moment, the day it falls on there, and the hours that day has. */
const CHANGES = [
  ["America/New_York", "2026-03-08T07:00:00Z", "2026-03-08", 23],
  ["America/New_York", "2026-11-01T06:00:00Z", "2026-11-01", 25],
  ["Australia/Lord_Howe", "2026-04-04T15:00:00Z", "2026-04-05", 24.5],
  ["Australia/Lord_Howe", "2026-10-03T15:30:00Z", "2026-10-04", 23.5],
  // Clocks go back for Ramadan, and forth after it.
  ["Africa/Casablanca", "2026-02-15T02:00:00Z", "2026-02-15", 25],
  ["Africa/Casablanca", "2026-03-22T02:00:00Z", "2026-03-22", 23],
] as const;

describe.each(CHANGES)("around the change of %s at %s", (zone, moment, day, hours) => {
  const change = Date.parse(moment);
  const shown = (time: number, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }).format(time);

  it("labels each day once, at its first moment", () => {
    process.env.TZ = zone;
    const [from, to] = [change - 2.4 * DAY, change + 2.4 * DAY];
    const ticks = timeTicks(from, to, zone);
    const labels = ticks.map((tick) => formatTick(tick, "local", to - from));
    expect(labels).toEqual(ticks.map((tick) => shown(tick, { day: "numeric", month: "short" }).replace("Sept", "Sep")));
    expect(new Set(labels).size).toBe(ticks.length);
    expect(ticks.length).toBeGreaterThanOrEqual(4);
    for (const tick of ticks) expect(shown(tick, { hour: "2-digit", minute: "2-digit" })).toBe("00:00");
  });

  it("labels hours as the wall clock shows them, before and after", () => {
    process.env.TZ = zone;
    const [from, to] = [change - 5 * HOUR, change + 5 * HOUR];
    for (const tick of timeTicks(from, to, zone)) {
      const label = formatTick(tick, "local", to - from);
      expect(label).toBe(shown(tick, { hour: "2-digit", minute: "2-digit" }));
      expect(label).toMatch(/:00$/);
    }
  });

  it("has the day as long as it is, typed, today and yesterday", () => {
    const typed = readRange(day, change + 30 * DAY, zone);
    if (!("from" in typed)) throw new Error(JSON.stringify(typed));
    expect((typed.to - typed.from) / HOUR).toBe(hours);
    expect([change >= typed.from, change < typed.to]).toEqual([true, true]);
    expect(stretchIn(new URLSearchParams("range=today"), change, zone)).toEqual(typed);
    expect(stretchIn(new URLSearchParams("range=yesterday"), change + DAY, zone)).toEqual(typed);
  });

  it("reads back the range that its field was filled with", () => {
    process.env.TZ = zone;
    const [from, to] = [change - 20 * HOUR, change + 20 * HOUR];
    const text = [from, to].map((time) => wallClock(time, "local").replace("T", " ")).join(" to ");
    expect(readRange(text, to, zone)).toEqual({ from, to });
  });
});
