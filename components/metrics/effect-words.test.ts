import { expect, test } from "vitest";
import type { MetricEffects } from "@/server/contracts/metrics";
import { mergeWords, renameWords } from "./effect-words";

const effects = (more: Partial<MetricEffects>): MetricEffects => ({
  ...{
    refused: null,
    devices: 3,
    readings: 1200,
    rules: [],
    views: [],
    both: 0,
    repeats: 0,
    conflicts: 0,
    coldDays: 0,
  },
  ...{ seconds: 0, otherValues: null, otherDevices: null },
  ...more,
});

test("a dry run of a merge says what meets, what is lost and how long it takes", () => {
  expect(mergeWords("temp", "temperature", effects({}))).toEqual([
    "temperature gets 1,200 readings of 3 devices, values as they are.",
    "No device has readings of both.",
    "The job takes about 1 s.",
  ]);
  const rules = [{ name: "Too hot", becomes: "follows" as const }];
  const more = { both: 1, repeats: 4, conflicts: 1, coldDays: 31, seconds: 75, rules };
  expect(mergeWords("temp", "temperature", effects(more))).toEqual([
    "temperature gets 1,200 readings of 3 devices, values as they are.",
    "5 readings of 1 device meet one of temperature at the same time, which stays, 4 readings with the same value.",
    "1 conflict: another value, which is lost.",
    "31 days in cold storage are brought back for it.",
    "1 alert rule goes on: Too hot.",
    "The job takes about 1 min 15 s.",
  ]);
});

test("what could not be counted is said, never zero", () => {
  const unknown = { devices: null, readings: null, both: null, repeats: null, conflicts: null, seconds: null };
  expect(mergeWords("a", "b", effects(unknown))).toEqual([
    "b gets all readings (too many to count now), values as they are.",
    "How many readings meet one of b could not be counted; its own stay.",
    "How long the job takes could not be told.",
  ]);
});

test("a rename says which rules lose sight of it", () => {
  expect(renameWords("temp", "x", effects({ rules: [{ name: "All temps", becomes: "loses" }] }))).toEqual([
    "x has 1,200 readings of 3 devices at once; none is written anew.",
    "1 alert rule has a pattern that matches temp, but not x: All temps.",
  ]);
});
