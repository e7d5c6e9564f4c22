import { expect, test } from "vitest";
import { ALL_DEFAULTS } from "./all-limits";
import { viewContractOf } from "./view-contract";

test("the views' contract has their columns, and a rule for each range, whatever names hold", () => {
  const metric = (name: string, min: number | null, max: number | null) =>
    ({ name, kind: "number", unit: null, owner: null, limits: { ...ALL_DEFAULTS, min, max } }) as const;
  const { schema, team } = viewContractOf(
    { site: "o'hare", metrics: [metric("it's", 0, 5), metric("free", null, null), metric("low", -1, null)] },
    "1.2.0",
    "Plant data",
  ) as unknown as {
    team: unknown;
    schema: { name: string; quality: { id: string; query: string }[]; properties: { name: string }[] }[];
  };
  expect(team).toEqual({ name: "Plant data" });
  expect(schema.map(({ name }) => name)).toEqual(["reading", "reading_minute", "reading_hour"]);
  expect(schema[0]!.properties.map(({ name }) => name)).toEqual([
    "device",
    "site",
    "metric",
    "unit",
    "time",
    "value",
    "block",
  ]);
  expect(schema[0]!.quality.map(({ id }) => id)).toEqual(["repeats", "it's-range", "low-range"]);
  expect(schema[0]!.quality.slice(1).map(({ query }) => query)).toEqual([
    "SELECT count(*) FROM reading WHERE metric = 'it''s' AND site = 'o''hare' AND (value < 0 OR value > 5)",
    "SELECT count(*) FROM reading WHERE metric = 'low' AND site = 'o''hare' AND (value < -1)",
  ]);
});
