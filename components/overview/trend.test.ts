import { describe, expect, it } from "vitest";
import { trend } from "./trend";

const bucket = (time: number, messages: number, latencyP99Ms: number | null = 10) => ({
  time,
  messages,
  readings: messages * 7,
  duplicates: 0,
  conflicts: 0,
  deadLetters: 0,
  latencyP50Ms: latencyP99Ms,
  latencyP99Ms,
});

describe("trend", () => {
  const now = 1_000_002_000;
  const end = 1_000_000_000;

  it("is unknown before the history begins, zero in its gaps, and leaves the unfinished bucket out", () => {
    const points = trend([bucket(end - 20_000, 10), bucket(end - 5000, 5), bucket(end, 99)], now);
    expect(points).toHaveLength(180);
    expect(points.slice(-5).map((point) => point.messages)).toEqual([null, 2, 0, 0, 1]);
    expect(points.slice(-4).map((point) => point.latencyP99Ms)).toEqual([10, null, null, 10]);
    expect(points.at(-1)?.readings).toBe(7);
  });

  it("joins buckets, with the worst latency of them", () => {
    const points = trend([bucket(end - 20_000, 10, 5), bucket(end - 15_000, 30, 50)], now, 10_000);
    expect(points.at(-2)).toMatchObject({ time: end - 20_000, messages: 4, latencyP99Ms: 50 });
  });

  it("is all unknown without history", () => {
    expect(trend([], now).every((point) => point.messages === null)).toBe(true);
  });
});
