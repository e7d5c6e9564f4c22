import { expect, test } from "vitest";
import { ALL_DEFAULTS } from "./all-limits";
import { contractOf } from "./contract";

const metrics = [
  {
    name: "temperature",
    kind: "number",
    unit: "°C",
    owner: "Climate team",
    limits: { ...ALL_DEFAULTS, min: -40, max: 85, stuckTimes: null },
  },
  { name: "open", kind: "boolean", unit: null, owner: null, limits: ALL_DEFAULTS },
] as const;

test("a contract says ranges and repeats in the standard's own words, and the rest as rules of its engine", () => {
  const contract = contractOf({ site: "north", type: "press", metrics }, "1.7.0", "Plant data", (name) => [
    { rule: null, raw: name === "open" ? null : 90, minutes: null, hours: null },
  ]);
  expect(contract).toMatchObject({ apiVersion: "v3.1.0", kind: "DataContract", version: "1.7.0", status: "active" });
  expect(contract).toMatchObject({ team: { name: "Plant data" } });
  // What is kept for ever promises no end.
  expect(contract.slaProperties).toEqual([
    {
      ...{ property: "retention", value: 90, unit: "d", element: "reading.temperature" },
      description: "readings 90 days, minutes for ever, hours for ever",
    },
  ]);
  const [reading] = contract.schema;
  const named = new Map(reading!.properties.map((property) => [property.name, property]));
  expect([...named.keys()]).toEqual(["device", "time", "temperature", "open"]);
  const rules = (named.get("temperature") as { quality: { type: string; metric?: string; implementation?: object }[] })
    .quality;
  expect(rules[0]).toMatchObject({ type: "library", metric: "invalidValues", mustBe: 0 });
  expect(rules.slice(1).every((rule) => rule.type === "custom")).toBe(true);
  expect(rules).toContainEqual(
    expect.objectContaining({ engine: "fieldwatch", implementation: { check: "spike", spikeSteps: 8 } }),
  );
  expect(named.get("temperature")).toMatchObject({
    customProperties: [
      { property: "unit", value: "°C" },
      { property: "owner", value: "Climate team" },
    ],
  });
  // A check that somebody left out isn't promised.
  expect(JSON.stringify(rules)).not.toContain("stuck");
  expect(named.get("open")).not.toHaveProperty("quality");
});
