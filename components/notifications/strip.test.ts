import { expect, test } from "vitest";
import type { MaintenanceView, SilenceView } from "@/server/contracts/notifications";
import { DAY_MS, lanesOf } from "./strip";

const START = Date.parse("2026-11-28T00:00:00Z");
const at = (days: number) => new Date(START + days * DAY_MS).toISOString();

const silence = (parts: Partial<SilenceView>): SilenceView => ({
  ...{ id: 1, matchers: [{ field: "site", is: "is", values: ["north"] }], words: "", reason: "x", by: "Ada", hides: 0 },
  ...{ startsAt: at(-1), endsAt: at(7), untilResolved: false, state: "active" },
  ...parts,
});

test("a stretch is cut at today and at the end of the fortnight; what has ended or lies beyond has no line", () => {
  const maintenance = {
    ...{ id: 2, name: "nights", matchers: [], words: "", now: null, next: [], revision: 0 },
    ...{ enabled: true, cron: "", minutes: 60, zone: "UTC", note: null },
    fortnight: [
      { from: at(0), to: at(1) },
      { from: at(13.5), to: at(14.5) },
    ],
  } satisfies MaintenanceView;
  const lanes = lanesOf(
    [silence({}), silence({ id: 3, state: "ended" }), silence({ id: 4, startsAt: at(15), endsAt: at(16) })],
    [maintenance],
    START,
  );
  expect(lanes.map(({ id, stretches }) => [id, stretches.map(({ left, width }) => [left, width])])).toEqual([
    ["silence-1", [[0, 0.5]]],
    [
      "maintenance-2",
      [
        [0, 1 / 14],
        [13.5 / 14, 0.5 / 14],
      ],
    ],
  ]);
  expect(lanes[0]!.name).toBe("All at north");
});
