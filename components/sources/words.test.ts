import { expect, it } from "vitest";
import { arrivedWords, labelsIn, labelsText, nameFault, reasonWords, suggestedName } from "./words";

const message = (device: string, readings: number) => ({
  device,
  time: "2026-11-28T12:00:00.000Z",
  timeFrom: "arrival" as const,
  readings: Array.from({ length: readings }, (_, i) => ({ metric: `m${i}`, value: i, unit: null, path: `m${i}` })),
});

it("tells readings and devices of what arrived", () => {
  expect(arrivedWords({ messages: [message("a", 3), message("a", 4)] })).toBe("7 readings of 1 device");
  expect(arrivedWords({ messages: [message("a", 1), message("b", 0)] })).toBe("1 reading of 2 devices");
});

it("suggests a name that isn't taken, and says what is wrong with one", () => {
  expect(suggestedName("tasmota", [])).toBe("tasmota");
  expect(suggestedName("tasmota", ["tasmota", "tasmota-2"])).toBe("tasmota-3");
  expect(nameFault("barn-1", ["barn"])).toBeNull();
  expect(nameFault("barn", ["barn"])).toContain("There is one");
  for (const name of ["", "-barn", "Barn", "a b", "a".repeat(64)]) expect(nameFault(name, [])).toContain("Lower-case");
});

it("reads labels as it writes them", () => {
  expect(labelsIn("floor: 2\n\n line : a: b ")).toEqual({ floor: "2", line: "a: b" });
  expect(labelsIn("floor")).toBeNull();
  expect(labelsIn("floor:")).toBeNull();
  expect(labelsIn(labelsText({ a: "1", b: "x y" }))).toEqual({ a: "1", b: "x y" });
});

it("has words for reasons of mappings and of the pipeline", () => {
  expect(reasonWords("noTime")).toBe("No time");
  expect(reasonWords("noDevice")).not.toBe("noDevice");
  expect(reasonWords("somethingNew")).toBe("somethingNew");
});

it("has words for what a door refuses before a mapping sees it", () => {
  expect(reasonWords("body-too-large")).toBe("Too large a delivery");
  for (const reason of [
    "empty-request",
    "unreadable-body",
    "too-many-messages",
    "too-many-new",
    "too-fast",
    "too-busy",
  ])
    expect(reasonWords(reason)).not.toBe(reason);
});
