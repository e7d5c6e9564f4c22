import fc from "fast-check";
import { expect, test } from "vitest";
import { deviceStateOf, lastSeenIn } from "./device-state";

const now = Date.UTC(2026, 10, 24);

test("a device is live, then stale, then silent", () => {
  expect(deviceStateOf(null, now, 60)).toBe("new");
  expect(deviceStateOf(now - 59_999, now, 60)).toBe("live");
  expect(deviceStateOf(now - 60_000, now, 60)).toBe("stale");
  expect(deviceStateOf(now - 599_999, now, 60)).toBe("stale");
  expect(deviceStateOf(now - 600_000, now, 60)).toBe("silent");
});

test("the range of each state holds exactly the devices in it", () => {
  fc.assert(
    fc.property(fc.integer({ min: -10_000, max: 2_000_000 }), fc.integer({ min: 1, max: 120 }), (age, stale) => {
      const state = deviceStateOf(now - age, now, stale);
      for (const other of ["live", "stale", "silent"] as const) {
        const { after, until } = lastSeenIn(other, now, stale);
        const inside = (after === null || now - age > after) && (until === null || now - age <= until);
        expect(inside).toBe(other === state);
      }
    }),
  );
});
