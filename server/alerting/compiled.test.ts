import fc from "fast-check";
import { expect, test } from "vitest";
import { judgedOf, selectorOf } from "@/server/domain/alerts/judged";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { createCompile } from "./compiled";

const METRICS = [
  { id: 1, name: "temperature", min: -40, max: 85 },
  { id: 2, name: "humidity", min: null, max: 100 },
  { id: 3, name: "open", min: null, max: null },
];

const names = fc.constantFrom("a-1", "a-2", "b-1", "b-10");
const some = (...values: string[]) => fc.option(fc.subarray(values, { minLength: 1 }), { nil: undefined });

const device = fc.record({
  facts: fc.record({
    name: names,
    site: fc.constantFrom(null, "north", "south"),
    type: fc.constantFrom(null, "press"),
    labels: fc.constantFrom({}, { line: "1" }, { line: "2", floor: "3" }, { floor: "3" }),
  }),
  gapMs: fc.constantFrom(null, 900, 1000, 70_000),
  metrics: fc.subarray(METRICS),
});

const condition = fc.constantFrom(
  { metric: "temperature", is: "above", warning: 60 },
  { metric: "temperature", is: "outside", warning: [0, 50], critical: [-10, 60] },
  { metric: "temperature", what: "changePerMinute", is: "above", warning: 5 },
  { metric: "humidity", is: "invalid" },
  { metric: "open", is: "true" },
);

const spec = fc.oneof(
  fc.constant({ kind: "silence" }),
  fc.record({
    kind: fc.constant("condition"),
    conditions: fc.oneof(
      fc.array(condition, { minLength: 1, maxLength: 1 }),
      fc.constant([{ metric: "*", is: "above", warning: 7 }]),
      fc.array(condition, { minLength: 2, maxLength: 2 }),
    ),
    match: fc.constantFrom("all", "any"),
    holds: fc.constantFrom("auto", "until-next", 60_000),
    of: fc.record({
      sites: some("north", "west"),
      types: some("press"),
      devices: some("a-1", "b-*", "b-10"),
      without: some("a-2", "*0"),
      labels: fc.constantFrom({}, { line: "1" }, { floor: "3" }),
    }),
  }),
);

test("devices are judged by the rules that select them, though they share what those can't tell apart", () => {
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 12 }), fc.array(device, { maxLength: 12 }), (specs, devices) => {
      const rules = specs.map((written, i) => {
        const parsed = ruleSpec.parse(JSON.parse(JSON.stringify(written)));
        return { id: i + 1, version: 1, spec: parsed, selects: selectorOf("of" in parsed ? parsed.of : {}) };
      });
      const compile = createCompile(rules);
      for (const { facts, metrics, gapMs } of devices) {
        const compiled = compile({ facts, metrics, gapMs });
        const wanted = rules.flatMap(({ id, spec: of, selects }) => {
          if (!selects(facts)) return [];
          if (of.kind !== "condition") return [{ id, metric: 0, conditions: [] }];
          return judgedOf(of, metrics, gapMs).map(({ metric, rule }) => ({ id, metric, conditions: rule.conditions }));
        });
        const found = compiled.parts.map(({ rule: { id }, metric, judged: { conditions } }) => ({
          ...{ id, metric, conditions },
        }));
        expect(found).toEqual(wanted);
        expect([...compiled.places.keys()].sort()).toEqual(metrics.map(({ id }) => id));
        for (const { judged, bands } of compiled.parts)
          for (const { metric } of judged.conditions)
            expect(compiled.watching[compiled.places.get(metric)!]!.some((part) => part.bands === bands)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test("a thousand devices of one kind are compiled for once", () => {
  const parsed = ruleSpec.parse({ kind: "condition", conditions: [{ metric: "*", is: "above", warning: 7 }] });
  const compile = createCompile([{ id: 1, version: 1, spec: parsed, selects: selectorOf({}) }]);
  const kinds = Array.from({ length: 1000 }, (_, i) =>
    compile({
      facts: { name: `d-${i}`, site: "north", type: null, labels: { serial: `${i}` } },
      gapMs: 1000,
      metrics: METRICS,
    }),
  );
  expect(new Set(kinds).size).toBe(1);
});
