import { expect, test } from "vitest";
import type { Channel } from "./detector";
import { groupSentence, type OddNumbers, oddSentence, usualRange } from "./words";

const AT = Date.UTC(2026, 10, 24, 14, 10);
const DAY = 86_400_000;
const odd = (channel: Channel, over: Partial<OddNumbers> = {}): OddNumbers => ({
  ...{ channel, score: 1.3, now: 56.05, usual: 51.5, farthest: 3.5, at: AT, knownSince: AT - 90 * DAY },
  ...over,
});

test("says by how much, for how long, what is usual and what is now, with the unit", () => {
  expect(oddSentence(odd("time of day"), "°C")).toBe(
    "30 % farther from usual than anything in 28 days; usual at 14:00–14:30 UTC is 48–55 °C, now 56.05 °C.",
  );
  expect(oddSentence(odd("value", { score: 3.24, knownSince: AT - 3.5 * DAY }), "bar")).toBe(
    "3.2 times as far from usual as anything in 3 days; usual is 48–55 bar, now 56.05 bar.",
  );
  expect(oddSentence(odd("slow mean"), null)).toMatch(/usual is 48–55, its mean of some hours is 56\.05\.$/);
  expect(oddSentence(odd("roughness", { usual: 1, farthest: 2, now: 3.6 }), "A")).toBe(
    "30 % farther from usual than anything in 28 days; it usually moves around its mean by 0–3 A, now it moves by 3.6 A.",
  );
  expect(oddSentence(odd("value", { usual: -1, farthest: 2, now: 2.2 }), "°C")).toContain("usual is -3 to 1 °C");
});

test("says it of what is over as of then", () => {
  expect(oddSentence(odd("value", { isOver: true }), "°C")).toMatch(/, then 56\.05 °C\.$/);
});

test("says it of what never left a value, and rounds nothing up", () => {
  expect(oddSentence(odd("value", { score: 100, usual: 20, farthest: 0, now: 21 }), "°C")).toBe(
    "It has not left 20 °C in 28 days; now 21 °C.",
  );
  expect(oddSentence(odd("value", { score: 1.299 }), "°C")).toMatch(/^29 % farther/);
  expect(oddSentence(odd("value", { score: 1.29, knownSince: AT - DAY }), "°C")).toMatch(/^29 % farther .* in a day;/);
});

test("the score is the sentence: the distance of now is the score times that of the range", () => {
  const one = odd("time of day");
  const [, high] = usualRange(one);
  expect((one.now - one.usual) / (high - one.usual)).toBeCloseTo(one.score, 10);
});

test("says what is odd at once, of a device and of a site", () => {
  const group = { device: "press-07", site: "north", odd: 3, of: 7, devices: 1 };
  expect(groupSentence({ ...group, metrics: ["heat", "flow", "load"] })).toBe(
    "3 of 7 series of press-07 are odd at once: heat, flow and load.",
  );
  expect(groupSentence({ ...group, odd: 4, metrics: ["heat", "flow", "load", "noise"] })).toMatch(
    /: heat, flow, load and noise\.$/,
  );
  expect(groupSentence({ ...group, odd: 5, metrics: ["heat", "flow", "load", "noise", "tilt"] })).toMatch(
    /: heat, flow, load and 2 more metrics\.$/,
  );
  expect(groupSentence({ ...group, device: null, odd: 17, of: 80, devices: 15, metrics: ["heat"] })).toBe(
    "17 of 80 series at north, of 15 devices, are odd at once: heat.",
  );
});
