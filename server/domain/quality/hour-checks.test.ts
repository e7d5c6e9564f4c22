import { describe, expect, it } from "vitest";
import { checkHour, DEFAULT_SLOW_LIMITS, isDayApart, usualRange } from "./hour-checks";
import { type Hour, HOUR_MS, hourAt, profilesOf } from "./profile";
import { slidesOf } from "./slides";

const DAY = 24 * HOUR_MS;
const MONDAY = Date.UTC(2026, 10, 2);
const DAYS = 28;
/** A number in [-1, 1) that belongs to n. */
const noise = (n: number) => (Math.imul(n ^ (n >>> 15), 0x2c1b3c6d) >>> 0) / 2 ** 31 - 1;

/** Hours of a temperature that follows the day, and rests at weekends. */
function usual(time: number, shift = 0): number {
  const n = time / HOUR_MS;
  const weekday = Math.floor(time / DAY + 3) % 7 < 5;
  return 20 + (weekday ? 6 * Math.sin((n / 24) * 2 * Math.PI) : 0) + 0.3 * noise(n + shift * 7919);
}
const hour = (time: number, mean: number, moves = 2): Hour => ({
  time,
  count: 60,
  mean,
  min: mean - moves / 2,
  max: mean + moves / 2,
});
const past = (of: (time: number) => number) =>
  Array.from({ length: DAYS * 24 }, (_, i) => hour(MONDAY + i * HOUR_MS, of(MONDAY + i * HOUR_MS)));

const neighbors = Array.from({ length: 4 }, (_, n) => new Map([[1, past((time) => usual(time, n + 1) + n / 4)]]));
const profiles = profilesOf(
  new Map([
    [1, past(usual)],
    [2, past((time) => 3 * usual(time) + 0.5 * noise(time / HOUR_MS + 5))],
    [3, past((time) => (time - MONDAY) / HOUR_MS)],
    [4, past((time) => 2 * noise(time / HOUR_MS + 99))],
  ]),
  neighbors,
);
const profile = profiles.get(1)!;
const NEXT = MONDAY + DAYS * DAY + 10 * HOUR_MS;

/** What is told of the hour `NEXT` + n hours with this mean. */
function told(
  mean: number,
  {
    n = 0,
    moves = 2,
    before = usual(NEXT + (n - 1) * HOUR_MS),
    beforeMoves = 2,
    pair = 3 * usual(NEXT + n * HOUR_MS),
    beside = usual(NEXT + n * HOUR_MS) + 0.4,
  } = {},
) {
  const time = NEXT + n * HOUR_MS;
  const checks: string[] = [];
  const seen = {
    hour: hour(time, mean, moves),
    before: hour(time - HOUR_MS, before, beforeMoves),
    pair,
    neighbors: beside,
  };
  checkHour(seen, profile, DEFAULT_SLOW_LIMITS, ({ check }) => checks.push(check));
  return checks.sort();
}

describe("the checks of hours and days", () => {
  it("say nothing of what is as usual", () => {
    const all = Array.from({ length: 7 * 24 }, (_, n) => told(usual(NEXT + n * HOUR_MS), { n }));
    expect(all.flat()).toEqual([]);
  });

  it("find what is usual, though not at this hour of the week", () => {
    const saturday = 5 * 24 - 4;
    const time = NEXT + saturday * HOUR_MS;
    const monday = 20 + 6 * Math.sin((time / HOUR_MS / 24) * 2 * Math.PI);
    expect(told(monday, { n: saturday, pair: 3 * monday, beside: monday })).toEqual(["climatology"]);
  });

  it("find what hardly moves for two hours, and not after one", () => {
    const mean = usual(NEXT);
    expect(told(mean, { moves: 0.1, beforeMoves: 0.1 })).toEqual(["attenuated"]);
    expect(told(mean, { moves: 0.1 })).toEqual([]);
  });

  it.each([
    ["°F", 1.8, 32],
    ["a thousandth", 1000, 0],
    ["kelvin", 1, 273.15],
    ["psi", 14.5038, 0],
  ])("find that the unit became %s", (_, times, plus) => {
    const of = (value: number) => value * times + plus;
    const moves = 2 * times;
    expect(told(of(usual(NEXT)), { moves, before: of(usual(NEXT - HOUR_MS)), beforeMoves: moves })).toEqual(["unit"]);
  });

  it("find what left its pair and its neighbors, not what all of them do", () => {
    const mean = usual(NEXT);
    expect(told(mean, { pair: 3 * mean + 12 })).toEqual(["cross"]);
    expect(told(mean, { beside: mean + 4 })).toEqual(["neighbor"]);
    expect(told(mean + 3, { pair: 3 * mean + 9, beside: mean + 3.4 })).toEqual(["climatology"]);
  });

  it("find a day apart from those of four weeks", () => {
    expect(isDayApart(profile.day!.mean, profile, DEFAULT_SLOW_LIMITS)).toBe(false);
    expect(isDayApart(profile.day!.mean + 4, profile, DEFAULT_SLOW_LIMITS)).toBe(true);
  });

  it("know the usual range with a quarter of it beyond, but for one outlier", () => {
    const with1000 = past(usual).map((one, i) => (i === 50 ? hour(one.time, 1000) : one));
    const [low, high] = usualRange(profilesOf(new Map([[1, with1000]]), []).get(1)!, DEFAULT_SLOW_LIMITS)!;
    expect(low).toBeGreaterThan(5);
    expect(high).toBeLessThan(40);
  });

  it("know no usual values of what goes one way, nor a pair or neighbors where there is none", () => {
    expect(profiles.has(3)).toBe(false);
    expect(profiles.get(4)).toMatchObject({ pair: null, neighbors: null });
    expect(profile.pair).toMatchObject({ metric: 2 });
    expect(profilesOf(new Map([[1, past(usual).slice(0, 40)]]), []).size).toBe(0);
    expect(hourAt(past(usual), MONDAY + 1)).toBeUndefined();
  });
});

describe("slides", () => {
  const minutes = (of: (n: number) => number) =>
    Array.from({ length: 110 }, (_, n) => ({ time: n * 60_000, value: of(n) }));
  const quiet = (n: number) => 20 + 0.1 * noise(n) + Math.sin(n / 20);

  it("are found where a value goes away on a line and springs back", () => {
    const slid = minutes((n) => quiet(n) + (n >= 60 && n < 67 ? n - 59 : 0));
    const [slide, ...others] = slidesOf(slid);
    expect(others).toEqual([]);
    expect(Math.abs(slide!.from / 60_000 - 60)).toBeLessThanOrEqual(1);
    expect(Math.abs(slide!.to / 60_000 - 67)).toBeLessThanOrEqual(1);
  });

  it("aren't a step, a spike, a ramp that stays, or what a series does all the time", () => {
    expect(slidesOf(minutes(quiet))).toEqual([]);
    expect(slidesOf(minutes((n) => quiet(n) + (n > 60 ? 8 : 0)))).toEqual([]);
    expect(slidesOf(minutes((n) => quiet(n) + (n === 60 ? 50 : 0)))).toEqual([]);
    expect(slidesOf(minutes((n) => quiet(n) + Math.min(8, Math.max(0, n - 60))))).toEqual([]);
    expect(slidesOf(minutes((n) => quiet(n) + (n % 10)))).toEqual([]);
    expect(slidesOf(minutes(() => 5))).toEqual([]);
  });
});
