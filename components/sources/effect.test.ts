import { expect, it } from "vitest";
import type { Explained } from "@/server/contracts/sources";
import { effectOf, groupedChanges } from "./effect";

const explained = (
  device: string,
  readings: Record<string, number>,
  refused = 0,
  unit: string | null = null,
): Explained => ({
  messages: [
    {
      ...{ device, time: "2026-11-28T12:00:00.000Z", timeFrom: "arrival" },
      readings: Object.entries(readings).map(([metric, value]) => ({ metric, value, unit, path: metric })),
    },
  ],
  leaves: [],
  refused: Array.from({ length: refused }, () => ({ path: "x", reason: "badValue", detail: "no number" })),
});

it("counts what a mapping adds, takes away and changes, and what it refuses", () => {
  const effect = effectOf([
    { sample: 2, before: explained("a", { temp: 70, hum: 4 }, 1), after: explained("a", { temperature: 21, hum: 4 }) },
    { sample: 1, before: explained("a", { hum: 5 }), after: explained("a", { hum: 5 }, 0, "%") },
  ]);
  expect(effect).toMatchObject({ samples: 2, same: 1, refusedBefore: 1, refusedAfter: 0 });
  expect(effect.changes.map(({ kind, metric }) => `${kind} ${metric}`)).toEqual([
    "gone temp",
    "added temperature",
    "changed hum",
  ]);
  expect(effect.devices).toEqual({ added: [], gone: [] });
});

it("tells of other devices", () => {
  const effect = effectOf([{ sample: 1, before: explained("a", { t: 1 }), after: explained("b", { t: 1 }) }]);
  expect(effect.devices).toEqual({ added: ["b"], gone: ["a"] });
});

it("tells the same change of many samples once", () => {
  const item = (sample: number) => ({ sample, before: explained("a", {}), after: explained("a", { t: sample }) });
  const [group] = groupedChanges(effectOf([item(1), item(2), item(3)]).changes);
  expect(group).toMatchObject({ kind: "added", metric: "t", count: 3 });
});
