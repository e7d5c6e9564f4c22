import { describe, expect, it } from "vitest";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
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

  const of = (history: ReturnType<typeof bucket>[], messages = 1e6) =>
    trend({ history, totals: { messages } as PipelineAnswer["totals"] }, now);

  it("is zero where nothing was handled, without a latency, and leaves the unfinished bucket out", () => {
    const points = of([bucket(end - 20_000, 10), bucket(end - 5000, 5), bucket(end, 99)]);
    expect(points).toHaveLength(180);
    expect(points.slice(-5).map((point) => point.messages)).toEqual([0, 2, 0, 0, 1]);
    expect(points.slice(-5).map((point) => point.latencyP99Ms)).toEqual([null, 10, null, null, 10]);
    expect(points.at(-1)?.readings).toBe(7);
  });

  it("is nothing yet before the first message ever", () => {
    const points = of([bucket(end - 20_000, 10), bucket(end - 5000, 5)], 18);
    expect(points.slice(-6).map((point) => point.messages)).toEqual([null, null, 2, 0, 0, 1]);
  });

  it("is zero for a quarter of an hour of silence, and nothing yet where nothing ever came", () => {
    expect(of([]).every((point) => point.messages === 0)).toBe(true);
    expect(of([], 0).every((point) => point.messages === null)).toBe(true);
  });
});
