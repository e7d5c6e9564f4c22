import fc from "fast-check";
import { expect, test } from "vitest";
import { deviceStateOf, lastSeenIn } from "./device-state";

const now = Date.UTC(2026, 10, 24);

test("a device is live, then stale, then silent", () => {
  expect(deviceStateOf({ lastSeen: null, goneAt: null }, now, 60)).toBe("new");
  expect(deviceStateOf({ lastSeen: now - 59_999, goneAt: null }, now, 60)).toBe("live");
  expect(deviceStateOf({ lastSeen: now - 60_000, goneAt: null }, now, 60)).toBe("stale");
  expect(deviceStateOf({ lastSeen: now - 599_999, goneAt: null }, now, 60)).toBe("stale");
  expect(deviceStateOf({ lastSeen: now - 600_000, goneAt: null }, now, 60)).toBe("silent");
});

test("a goodbye silences a device at once, and makes none of one that was never heard", () => {
  expect(deviceStateOf({ lastSeen: now - 1, goneAt: now }, now, 60)).toBe("silent");
  expect(deviceStateOf({ lastSeen: null, goneAt: now }, now, 60)).toBe("new");
});

test("the range of each state holds exactly the devices in it", () => {
  fc.assert(
    fc.property(fc.integer({ min: -10_000, max: 2_000_000 }), fc.integer({ min: 1, max: 120 }), (age, stale) => {
      const state = deviceStateOf({ lastSeen: now - age, goneAt: null }, now, stale);
      for (const other of ["live", "stale", "silent"] as const) {
        const { after, until } = lastSeenIn(other, now, stale);
        const inside = (after === null || now - age > after) && (until === null || now - age <= until);
        expect(inside).toBe(other === state);
      }
    }),
  );
});
