import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Condition, conditionText, filterText, FILTER_LIMITS, parseFilter } from "./device-filter";

const of = (text: string) => {
  const read = parseFilter(text);
  if ("problem" in read) throw new Error(`${read.problem.at}: ${read.problem.message}`);
  return read.conditions;
};
const problem = (text: string) => {
  const read = parseFilter(text);
  return "problem" in read ? read.problem : null;
};

describe("a filter of devices", () => {
  it.each<[string, Condition[]]>([
    ["", []],
    ["  ", []],
    ["battery < 20", [{ of: "metric", metric: "battery", operator: "<", value: 20 }]],
    ["battery<-2.5e1", [{ of: "metric", metric: "battery", operator: "<", value: -25 }]],
    ["door = true", [{ of: "metric", metric: "door", operator: "=", value: 1 }]],
    ["silent ≥ 1 h", [{ of: "silent", operator: ">=", ms: 3_600_000 }]],
    ["silent>=90min", [{ of: "silent", operator: ">=", ms: 5_400_000 }]],
    ["value:silent < 3", [{ of: "metric", metric: "silent", operator: "<", value: 3 }]],
    ['site = "Building 7"', [{ of: "site", operator: "=", text: "Building 7" }]],
    ["site != Gebäude", [{ of: "site", operator: "!=", text: "Gebäude" }]],
    ["label:floor = 2", [{ of: "label", key: "floor", operator: "=", text: "2" }]],
    ['label:"the floor" != "a \\"b\\""', [{ of: "label", key: "the floor", operator: "!=", text: 'a "b"' }]],
    ["retired = yes", [{ of: "retired", is: true }]],
    ["retired != yes", [{ of: "retired", is: false }]],
    [
      "battery < 20 and quality < 80, alerts >= 1 AND type = press",
      [
        { of: "metric", metric: "battery", operator: "<", value: 20 },
        { of: "quality", operator: "<", value: 80 },
        { of: "alerts", operator: ">=", value: 1 },
        { of: "type", operator: "=", text: "press" },
      ],
    ],
  ])("reads %s", (text, conditions) => expect(of(text)).toEqual(conditions));

  it.each([
    ["battery", 7, "needs a comparison"],
    ["battery <", 9, "a value is expected here"],
    ["battery < low", 10, '"low" is no number'],
    ["battery < 20 %", 13, "leave"],
    ["silent > soon", 9, "a length of time"],
    ["silent > 1 week", 9, "a length of time"],
    ["site < a", 5, "compare it by = or !="],
    ["site = Building 7", 16, "in double quotes"],
    ['site = "Building 7', 7, "is not closed"],
    ["bätt < 3", 0, "is no metric"],
    ["retired = perhaps", 10, "neither yes nor no"],
    ["label: = 3", 0, "needs a key"],
    ["battery < 20 and", 16, "is expected here"],
    ["battery < 20 and site = a b c", 26, "too many"],
    ["< 3", 0, "a metric or a word"],
    ["battery ! 3", 8, "cannot be read here"],
  ])("says what is wrong where in %s", (text, at, message) => {
    const found = problem(text);
    expect(found?.message).toContain(message);
    expect(found?.at).toBe(at);
  });

  it("is bounded", () => {
    expect(problem(Array(9).fill("a < 1").join(" and "))?.message).toContain("more than 8");
    expect(problem("a < 1".padEnd(FILTER_LIMITS.length) + " and b < 2")?.message).toContain("longer than 512");
  });

  const anyText = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map((text) => text.normalize("NFC"));
  const order = fc.constantFrom("<", "<=", ">", ">=", "=", "!=" as const);
  const equal = fc.constantFrom("=", "!=" as const);
  const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0 || 0);
  const condition: fc.Arbitrary<Condition> = fc.oneof(
    fc.record({
      of: fc.constant("metric"),
      metric: fc.stringMatching(/^[a-z]{1,9}$|^silent$|^label:x$|^value:y$|^and$/),
      operator: order,
      value,
    }),
    fc.record({
      of: fc.constant("silent"),
      operator: order,
      ms: fc.integer({ min: 0, max: 1e8 }).map((s) => s * 1000),
    }),
    fc.record({ of: fc.constantFrom("quality", "alerts"), operator: order, value }),
    fc.record({ of: fc.constantFrom("site", "type"), operator: equal, text: anyText }),
    fc.record({ of: fc.constant("label"), key: anyText, operator: equal, text: anyText }),
    fc.record({ of: fc.constant("retired"), is: fc.boolean() }),
  ) as fc.Arbitrary<Condition>;

  it("reads what it writes", () => {
    fc.assert(
      fc.property(fc.array(condition, { maxLength: 3 }), (conditions) => {
        expect(of(filterText(conditions))).toEqual(conditions);
      }),
    );
    expect(conditionText({ of: "silent", operator: ">=", ms: 5_400_000 })).toBe("silent >= 90 min");
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseFilter(text)));
  });
});
