import { expect, test } from "vitest";
import { holdOf, judgedOf, selectorOf } from "./judged";
import { ruleSpec } from "./rule";
import { sentenceOf } from "./sentence";

const parse = (spec: unknown) => ruleSpec.parse(spec);
const faults = (spec: unknown) =>
  ruleSpec.safeParse(spec).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
const one = (condition: object, more: object = {}) => ({
  kind: "condition",
  conditions: [{ metric: "temperature", ...condition }],
  ...more,
});

test.each([
  [
    one(
      { is: "above", warning: 80, critical: 95, clear: 75 },
      { forMs: 300_000, keepMs: 120_000, of: { types: ["press"], sites: ["north"] } },
    ),
    "When temperature is above 80 → warning, above 95 → critical at devices of type press at north for 5 min; over when temperature is below 75 for 2 min.",
  ],
  [
    {
      kind: "condition",
      match: "any",
      conditions: [
        { metric: "a", is: "outside", warning: [1, 5] },
        { metric: "b", is: "false", severity: "critical" },
      ],
    },
    "When a is outside of 1 to 5 → warning or b is false → critical at all devices.",
  ],
  [one({ metric: "*", is: "invalid" }), "When any metric is outside of its valid range → warning at all devices."],
  [{ kind: "silence" }, "When one of all devices is silent for longer than is usual for it → warning."],
  [
    { kind: "share-of-site", severity: "critical" },
    "When 30 % of a site's devices, and at least 5, fall silent within 2 min → critical.",
  ],
  [
    { kind: "share-of-site", of: { types: ["press"], sites: ["north"] } },
    "When 30 % of a site's devices of type press at north, and at least 5, fall silent within 2 min → critical.",
  ],
  [{ kind: "pipeline", measure: "lagSeconds", limit: 60 }, "When the pipeline is more than 60 s behind → warning."],
])("a rule says itself in a sentence", (spec, words) => {
  expect(sentenceOf(parse(spec))).toBe(words);
});

test.each([
  [one({ is: "above" }), "conditions.0.warning: Give a limit as warning, critical or both"],
  [
    one({ is: "above", warning: 80, critical: 70 }),
    "conditions.0.critical: Give a critical limit that is worse than the warning limit: above 80",
  ],
  [one({ is: "below", warning: 10, clear: 5 }), "conditions.0.clear: It is over on the good side of the limits only"],
  [one({ is: "outside", warning: 80 }), "conditions.0.warning: Give a lower and an upper limit: [10, 80]"],
  [one({ is: "true", warning: 1 }), "conditions.0.warning: “true” has no limits; say severity instead"],
  [
    one({ is: "above", warning: 80, severity: "critical" }),
    "conditions.0.severity: Say warning or critical, each with its limit, instead",
  ],
  [
    {
      kind: "condition",
      conditions: [
        { metric: "a*", is: "true" },
        { metric: "b", is: "true" },
      ],
    },
    "conditions.0.metric: A pattern stands in a rule of one condition only",
  ],
])("what can't be right is refused where it stands", (spec, fault) => {
  expect(faults(spec)).toContain(fault);
});

test("devices are selected by site, type, name and label, each part that is given", () => {
  const device = { name: "press-07", site: "north", type: "press", labels: { hall: "3" } };
  const fits = (of: object) => selectorOf(of)(device);
  expect([{}, { devices: ["press-*"] }, { sites: ["north", "south"], labels: { hall: "3" } }].map(fits)).toEqual([
    true,
    true,
    true,
  ]);
  expect(
    [{ types: ["pump"] }, { labels: { hall: "4" } }, { devices: ["press-*"], without: ["*-07"] }].map(fits),
  ).toEqual([false, false, false]);
});

test("a rule becomes one of limits for each series, by what the device has", () => {
  const metrics = [
    { id: 1, name: "temperature", min: -10, max: 50 },
    { id: 2, name: "motor", min: null, max: null },
  ];
  const judged = (spec: object) => {
    const read = parse(spec);
    return read.kind === "condition" ? judgedOf(read, metrics, 10_000) : [];
  };
  expect(
    judged(one({ metric: "*", is: "invalid" })).map(({ metric, rule }) => [metric, rule.conditions[0]!.warning]),
  ).toEqual([[1, [-10, 50]]]);
  const both = {
    conditions: [
      { metric: "temperature", is: "above", warning: 80, critical: 95 },
      { metric: "motor", is: "true" },
    ],
  };
  expect(judged({ kind: "condition", ...both })).toMatchObject([
    {
      metric: 0,
      rule: { least: "warning", conditions: [{ critical: [-Infinity, 95] }, { warning: [1, 1], critical: [1, 1] }] },
    },
  ]);
  const lacking = [
    { metric: "motor", is: "true" },
    { metric: "nowhere", is: "true" },
  ];
  expect(judged({ kind: "condition", conditions: lacking })).toEqual([]);
  expect(judged({ kind: "condition", match: "any", conditions: lacking })).toMatchObject([{ metric: 0 }]);
});

test("a value holds three of the device's usual gaps, and half a minute at least", () => {
  expect([holdOf("auto", null), holdOf("auto", 1000), holdOf("auto", 60_000), holdOf("auto", 63_000)]).toEqual([
    300_000, 30_000, 192_000, 192_000,
  ]);
  expect([holdOf("until-next", 1000), holdOf(5000, 1000)]).toEqual([Infinity, 5000]);
});
