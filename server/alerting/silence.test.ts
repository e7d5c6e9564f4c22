import { describe, expect, test } from "vitest";
import { silentAt } from "./silence";

const open = (...stretches: [number, number][]) => stretches.map(([since, until]) => ({ since, until }));

describe("silence counts while messages were taken", () => {
  test.each([
    ["nobody knows when they were", open(), 100, 160, 60, 160],
    ["not yet", open(), 100, 159, 60, null],
    ["all the time", open([0, 1000]), 100, 500, 60, 160],
    ["before the first stretch, too", open([150, 1000]), 100, 500, 60, 160],
    ["with a pause in between", open([0, 120], [200, 1000]), 100, 500, 60, 240],
    ["with a pause, not yet", open([0, 120], [200, 1000]), 100, 239, 60, null],
    ["with several", open([0, 120], [200, 210], [300, 1000]), 100, 500, 60, 330],
    ["since the pause itself", open([0, 120], [200, 1000]), 150, 500, 60, 260],
    ["and not after the last stretch", open([0, 120]), 100, 500, 60, null],
  ])("%s", (_, stretches, since, until, after, at) => {
    expect(silentAt(stretches, since, until, after)).toBe(at);
  });

  test("to fractions of a millisecond, for which a moment has no room", () => {
    const T = 1768471200000;
    const at = silentAt(open([T - 1000, T + 7], [T + 50.3, T + 1e6]), T + 0.1, T + 1e6, 35_999.99951171875);
    expect(at).toBeCloseTo(T + 36_043.4, 0);
  });
});
