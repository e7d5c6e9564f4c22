import { expect, test } from "vitest";
import { gapWords, seenStretches } from "./seen";

const at = (time: string) => Date.parse(`2026-11-30T${time}Z`);
const MINUTE = 60_000;

const strip = (times: readonly number[], latest: number | null = null) => ({
  ...{ metric: "m", unit: null, kind: "number" as const, latest, before: null },
  points: times.map((time): [number, number, number, number, number, number] => [time, 1, 0, 0, 0, 0]),
});

/** Buckets of 10 minutes that begin at these times of the day, within the 24 hours until the evening. */
const day = (times: readonly string[], newest: string | null = null) => ({
  strips: [strip(times.map(at), newest === null ? null : at(newest))],
  bucketMs: 10 * MINUTE,
  from: new Date(at("00:00:00")).toISOString(),
});

test("stretches of any metric, and the longest gap since the device is known", () => {
  const strips = [strip([0, 10]), strip([20, 50, 60])];
  const answer = { strips, bucketMs: 10, from: new Date(0).toISOString() };
  expect(seenStretches(answer, 0, 120)).toEqual({
    since: 0,
    seen: [
      { from: 0, to: 30 },
      { from: 50, to: 70 },
    ],
    longest: { from: 70, to: 120, isOpen: true },
  });
  expect(seenStretches(answer, 0, 75).longest).toEqual({ from: 30, to: 50, isOpen: false });
  expect(seenStretches({ ...answer, strips: [strip([50, 60])] }, 50, 75).longest).toBe(null);
  expect(seenStretches({ ...answer, strips: [] }, 0, 120)).toEqual({
    ...{ since: 0, seen: [] },
    longest: { from: 0, to: 120, isOpen: true },
  });
});

test("a gap that goes on ends now, not with the bucket, and is over once the bucket has a message", () => {
  const silent = day(["10:10:00", "10:20:00"], "10:29:53");
  const firstSeen = at("10:12:00");
  expect(seenStretches(silent, firstSeen, at("10:31:00")).longest).toBe(null);
  const { longest } = seenStretches(silent, firstSeen, at("10:41:00"));
  expect(longest).toEqual({ from: at("10:29:53"), to: at("10:41:00"), isOpen: true });
  expect(gapWords(longest!, "UTC")).toBe("11 min 7 s, still");

  const back = day(["10:10:00", "10:20:00", "10:50:00"], "10:52:00");
  const over = seenStretches(back, firstSeen, at("10:52:10")).longest;
  expect(over).toEqual({ from: at("10:30:00"), to: at("10:50:00"), isOpen: false });
  expect(gapWords(over!, "UTC")).toMatch(/^20 min, until .*10:50/);
});

test("what lies before the first message isn't a gap; what lies between the first reading and now is", () => {
  const fresh = day(["10:20:00"], "10:29:53");
  expect(seenStretches(fresh, at("10:29:53"), at("10:31:00"))).toMatchObject({ since: at("10:20:00"), longest: null });

  // Everything came at once, of hours before: it is known since its first reading.
  const handedIn = day(["08:00:00", "09:00:00"], "09:03:00");
  expect(seenStretches(handedIn, at("10:29:53"), at("10:31:00"))).toMatchObject({
    since: at("08:00:00"),
    longest: { from: at("09:03:00"), to: at("10:31:00"), isOpen: true },
  });

  // Known since days: the range begins with a gap.
  expect(seenStretches(day(["10:20:00"], "10:29:53"), 0, at("10:31:00"))).toMatchObject({
    since: at("00:00:00"),
    longest: { from: at("00:00:00"), to: at("10:20:00"), isOpen: false },
  });
});
