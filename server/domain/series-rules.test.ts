import fc from "fast-check";
import { expect, test } from "vitest";
import { inOrder, longestOf, matcherOf, ruleChooser, type SeriesRule } from "./series-rules";

const rule = (selects: SeriesRule["selects"], pattern: string, raw: number | null = 30): SeriesRule => {
  return { selects, pattern, raw, minutes: raw, hours: null };
};

test("the most specific rule holds: metric, then type, then site; a name before a pattern, a longer pattern before a shorter one", () => {
  const rules = inOrder([
    ...[rule("site", "Lab"), rule("type", "press*"), rule("metric", "*"), rule("metric", "vibration.*")],
    ...[rule("type", "press"), rule("metric", "vibration.x"), rule("metric", "temp*")],
  ]);
  expect(rules.map(({ selects, pattern }) => `${selects} ${pattern}`)).toEqual([
    ...["metric vibration.x", "metric vibration.*", "metric temp*", "metric *"],
    ...["type press", "type press*", "site Lab"],
  ]);
  const choose = ruleChooser(rules.filter(({ pattern }) => pattern !== "*"));
  const marks = { metric: "humidity", type: null, site: null };
  expect(choose(marks)).toBeNull();
  expect(choose({ ...marks, site: "Lab" })).toMatchObject({ selects: "site" });
  expect(choose({ ...marks, site: "Lab", type: "press-2" })).toMatchObject({ pattern: "press*" });
  expect(choose({ metric: "vibration.y", site: "Lab", type: "press" })).toMatchObject({ pattern: "vibration.*" });
});

test("* stands for any characters, none included; all else for itself", () => {
  for (const [pattern, name, matches] of [
    ...([
      ["a", "a", true],
      ["a", "A", false],
      ["*", "", true],
      ["a*a", "a", false],
      ["a*a", "aa", true],
    ] as const),
    ...([
      ["a.c", "abc", false],
      ["*b*", "abc", true],
      ["a*b*c", "acb", false],
      ["a**c", "ac", true],
    ] as const),
  ])
    expect([pattern, name, matcherOf(pattern)(name)]).toEqual([pattern, name, matches]);
  const part = fc.stringMatching(/^[ab.*]{0,6}$/);
  fc.assert(
    fc.property(part, fc.stringMatching(/^[ab.]{0,8}$/), (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
      expect(matcherOf(pattern)(name)).toBe(expression.test(name));
    }),
  );
});

test("what is older than the longest time of any series can go as a whole", () => {
  const general = { raw: 90, minutes: 730, hours: null };
  expect(longestOf(general, [])).toEqual(general);
  expect(longestOf(general, [{ raw: 400, minutes: 400, hours: 400 }])).toEqual({ raw: 400, minutes: 730, hours: null });
  expect(longestOf(general, [{ raw: null, minutes: null, hours: null }])).toEqual({
    raw: null,
    minutes: null,
    hours: null,
  });
});
