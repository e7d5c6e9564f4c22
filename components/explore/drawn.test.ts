import { expect, test } from "vitest";
import type { ExploreAnswer, ExploreSeries } from "@/server/contracts/explore";
import { byUnit, chartOf, drawnOf, extremesOf, nextOrder, orderIn, sorted, writingOf } from "./drawn";

const MINUTE = 60_000;

function series(id: string, values: readonly number[], more: Partial<ExploreSeries> = {}): ExploreSeries {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return {
    ...{ id, name: id, site: null, type: null, unit: "°C", devices: 1, means: null, held: null },
    figures: { count: values.length, min, mean: (min + max) / 2, max, last: values.at(-1) ?? null, lastAt: 0 },
    points: values.map((value, i) => [i * MINUTE, 1, value, value, value, value]),
    ...more,
  };
}

function answerOf(all: readonly ExploreSeries[], more: Partial<ExploreAnswer> = {}): ExploreAnswer {
  return {
    ...{
      metric: "temperature",
      kind: "number",
      decimals: null,
      color: null,
      by: "device",
      shape: "lines",
      bucketMs: MINUTE,
      resolution: "minute",
    },
    ...{ from: new Date(0).toISOString(), to: new Date(10 * MINUTE).toISOString(), series: [...all], band: null },
    ...{ cold: "none", units: [], matched: all.length, read: all.length, missing: [], outliers: [], previous: null },
    ...more,
  } as ExploreAnswer;
}

test("a few series have colors of their own, and more have that of their metric", () => {
  const colors = (count: number) =>
    new Set(
      drawnOf(answerOf(Array.from({ length: count }, (_, i) => series(`d${i}`, [1, 2])))).map(({ color }) => color),
    ).size;
  expect([colors(6), colors(7)]).toEqual([6, 1]);
});

test("an earlier time is laid over the one that is shown, behind it", () => {
  const shiftMs = 60 * MINUTE;
  const before = series("a", [], { points: [[-shiftMs, 1, 5, 4, 6, 5]] });
  const stretch = { from: "", to: "", series: [before], band: null, shiftMs };
  const drawn = drawnOf(answerOf([series("a", [1, 2])], { previous: stretch }));
  expect(drawn[0]!.before!.points.map(({ start, value }) => [start, value])).toEqual([[0, 5]]);
  const { lines, rows } = chartOf(drawn, false);
  expect(lines.map(({ label, faint }) => [label, faint ?? false])).toEqual([
    ["a before", true],
    ["a", false],
  ]);
  expect(rows[0]).toMatchObject({ "series a": 1, "before a": 5 });
  expect(extremesOf(drawn)).toEqual([1, 6]);
});

test("flags hold from before the range to the first change, and from the last to what their device sent last", () => {
  const held = { before: { time: -90 * MINUTE, value: 1 }, until: 8 * MINUTE };
  const points = (shown: Partial<ExploreSeries>, more: Partial<ExploreAnswer> = {}) =>
    drawnOf(answerOf([series("door", [], { held, points: [], ...shown })], { kind: "boolean", ...more }))[0]!;
  const told = (drawn: { points: readonly { time: number; value: number }[] }) =>
    drawn.points.map(({ time, value }) => [time / MINUTE, value]);
  expect(told(points({})), "nothing was sent in it").toEqual([
    [0, 1],
    [8, 1],
  ]);
  expect(told(points({ points: [[4 * MINUTE, 1, 0, 0, 0, 0]] }))).toEqual([
    [0, 1],
    [4.5, 0],
    [8, 0],
  ]);
  expect(told(points({ held: null }))).toEqual([]);
  const earlier = series("door", [], {
    points: [],
    held: { before: { time: -90 * MINUTE, value: 1 }, until: 8 * MINUTE },
  });
  const previous = { from: "", to: "", series: [earlier], band: null, shiftMs: 60 * MINUTE };
  expect(told(points({ held: null }, { previous }).before!)).toEqual([
    [0, 1],
    [10, 1],
  ]);
});

test("values in different units have charts of their own", () => {
  const drawn = drawnOf(answerOf([series("a", [1]), series("b", [70], { unit: "°F" }), series("c", [2])]));
  expect(byUnit(drawn).map(([unit, all]) => [unit, all.map(({ id }) => id)])).toEqual([
    ["°C", ["a", "c"]],
    ["°F", ["b"]],
  ]);
});

test("devices without a site are called so", () => {
  const none = series("", [1], { name: null });
  expect(drawnOf(answerOf([none], { by: "site" }))[0]!.label).toBe("no site");
});

test("means have one digit more than what was sent, and shares of flags are told as such", () => {
  const { exact } = writingOf({ kind: "number", decimals: null }, [21.3, 22]);
  expect(exact(21.666666)).toBe("21.67");
  expect(writingOf({ kind: "number", decimals: 1 }, []).short(21.666666)).toBe("21.7");
  expect([1, 0, 0.25].map(writingOf({ kind: "boolean", decimals: null }, []).exact)).toEqual([
    "true",
    "false",
    "25 % true",
  ]);
});

test("series are sorted by any column, and those without a value come last either way", () => {
  const all = drawnOf(answerOf([series("d10", [3]), series("d2", [1]), series("d3", [2])])).map((one) =>
    one.id === "d3" ? { ...one, figures: { ...one.figures, mean: null } } : one,
  );
  const ids = (text: string) => sorted(all, orderIn(text), ({ id }) => (id === "d2" ? 9 : null)).map(({ id }) => id);
  expect(ids("name")).toEqual(["d2", "d3", "d10"]);
  expect(ids("-name")).toEqual(["d10", "d3", "d2"]);
  expect(ids("mean")).toEqual(["d2", "d10", "d3"]);
  expect(ids("-mean")).toEqual(["d10", "d2", "d3"]);
  expect(ids("-cursor")[0]).toBe("d2");
  expect(ids("nonsense")).toEqual(ids("name"));
});

test("the head of a column sorts by the largest first, then the smallest; names by the first", () => {
  expect(nextOrder(orderIn(null), "mean")).toBe("-mean");
  expect(nextOrder(orderIn("-mean"), "mean")).toBe("mean");
  expect(nextOrder(orderIn("-mean"), "name")).toBe("name");
});
