import { expect, test } from "vitest";
import { seenStretches } from "./seen";

const strip = (times: readonly number[]) => ({
  ...{ metric: "m", unit: null, kind: "number" as const, latest: null },
  points: times.map((time): [number, number, number, number, number, number] => [time, 1, 0, 0, 0, 0]),
});

test("stretches of any metric, and the longest gap since the device is known", () => {
  const strips = [strip([0, 10]), strip([20, 50, 60])];
  const answer = { strips, bucketMs: 10, to: new Date(120).toISOString() };
  expect(seenStretches(answer, 0)).toEqual({
    seen: [
      { from: 0, to: 30 },
      { from: 50, to: 70 },
    ],
    longest: { from: 70, to: 120 },
  });
  expect(seenStretches({ ...answer, to: new Date(75).toISOString() }, 30).longest).toEqual({ from: 30, to: 50 });
  expect(seenStretches({ ...answer, to: new Date(75).toISOString() }, 50).longest).toBe(null);
  expect(seenStretches({ ...answer, strips: [] }, 0)).toEqual({ seen: [], longest: { from: 0, to: 120 } });
});
