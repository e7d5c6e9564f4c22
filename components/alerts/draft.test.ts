import { expect, test } from "vitest";
import { READY_RULES } from "@/server/domain/alerts/ready-rules";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { draftInAddress, draftOf, NEW_CONDITION, NEW_DRAFT } from "./draft";
import { specOf, watchedBy } from "./draft-spec";
import { parseDuration } from "./draft-text";

const RULES = [
  {
    kind: "condition",
    of: { sites: ["north"], types: ["press"], devices: ["press-*"], without: ["press-9"], labels: { line: "a:b" } },
    match: "any",
    conditions: [
      { metric: "temperature", is: "above", warning: 80, critical: 95, clear: 75 },
      { metric: "vibration", what: "minuteMax", is: "outside", warning: [-1, 3.5] },
      { metric: "door", is: "true", severity: "critical" },
    ],
    forMs: 90_000,
    keepMs: 5_400_000,
    holds: 90_000,
    late: "tell",
  },
  { kind: "silence", afterMs: 300_000, severity: "critical" },
  { kind: "share-of-site", of: { sites: ["north"] }, atLeast: 3, share: 0.07, withinMs: 90_000, severity: "warning" },
  { kind: "quality", of: { types: ["press"] }, below: 82.5, forMs: 600_000, keepMs: 60_000, severity: "critical" },
  { kind: "oddness", metric: "temp*", above: 1.2, forMs: 60_000 },
  { kind: "pipeline", measure: "freeDiskPercent", limit: 10, keepMs: 60_000 },
  { kind: "pipeline", measure: "engineAway", severity: "critical" },
  ...READY_RULES.map(({ spec }) => spec),
].map((spec) => ruleSpec.parse(spec));

test("a rule goes through the fields of its editor unchanged", () => {
  for (const spec of RULES) expect(specOf(draftOf(spec))).toEqual({ spec });
});

test("lengths of time are read as they are written", () => {
  expect(["", "90", "5 min", "5m", "1 h 30 min", "2 d 4 h", "1.5 s"].map(parseDuration)).toEqual([
    ...[0, 90_000, 300_000, 300_000, 5_400_000, 187_200_000, 1500],
  ]);
  expect(["soon", "5 min x", "-3 s", "5 weeks"].map(parseDuration)).toEqual([null, null, null, null]);
});

test("says at which field a rule is wrong, and why", () => {
  const faults = (changes: object, more: object = {}) => {
    const read = specOf({ ...NEW_DRAFT, ...more, conditions: [{ ...NEW_CONDITION, metric: "t", ...changes }] });
    return "faults" in read ? read.faults.map(({ at }) => at) : [];
  };
  expect(faults({ warning: "80" })).toEqual([]);
  expect(faults({})).toEqual(["conditions.0.warning"]);
  expect(faults({ warning: "hot" })).toEqual(["conditions.0.warning"]);
  expect(faults({ metric: "", warning: "1" })).toEqual(["conditions.0.metric"]);
  expect(faults({ warning: "80", critical: "70" })).toEqual(["conditions.0.critical"]);
  expect(faults({ warning: "80" }, { lasting: "soon" })).toEqual(["lasting"]);
  expect(faults({ warning: "80" }, { lasting: "8 d" })).toEqual(["lasting"]);
  expect(faults({ warning: "80" }, { labels: ["line"] })).toEqual(["labels"]);
  expect(faults({ warning: "80" }, { holds: "fixed", holdFor: "1 ms" })).toEqual(["holdFor"]);
  expect(faults({}, { kind: "quality", score: "" })).toEqual(["score"]);
  expect(faults({}, { kind: "quality", score: "101" })).toEqual(["score"]);
  expect(faults({}, { kind: "oddness", score: "1.2", metric: "" })).toEqual(["metric"]);
  expect(faults({}, { kind: "share-of-site", share: "130" })).toEqual(["share"]);
  expect(faults({}, { kind: "share-of-site", within: "soon" })).toEqual(["within"]);
  expect(faults({}, { kind: "pipeline", limit: "" })).toEqual(["limit"]);
});

test("an address begins a rule", () => {
  const draft = draftInAddress(new URLSearchParams("new=1&metric=temperature&above=96&type=press&site=north"));
  expect(specOf(draft)).toEqual({
    spec: ruleSpec.parse({
      kind: "condition",
      of: { sites: ["north"], types: ["press"] },
      conditions: [{ metric: "temperature", is: "above", warning: 96 }],
    }),
  });
});

test("what a rule watches doesn't hang on its limits", () => {
  const watched = (changes: object) =>
    watchedBy({ ...NEW_DRAFT, types: ["press"], conditions: [{ ...NEW_CONDITION, metric: "t", ...changes }] });
  expect(watched({})).toMatchObject({ of: { types: ["press"] }, conditions: [{ metric: "t", is: "above" }] });
  expect(watched({ warning: "80", critical: "90", clear: "70" })).toEqual(watched({}));
  expect(watched({ is: "outside", warning: "80" })).toMatchObject({ conditions: [{ metric: "t", is: "outside" }] });
  expect(watched({ is: "equals" })).toMatchObject({ conditions: [{ is: "equals" }] });
  expect(watched({ is: "true", warning: "80" })).toMatchObject({ conditions: [{ is: "true" }] });
  expect(watched({ metric: "" })).toBeNull();
});
