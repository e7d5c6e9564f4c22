import { expect, test } from "vitest";
import { deviceStateOf } from "./device-state";

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

test("a device with an age of its own goes by that", () => {
  const heard = { lastSeen: now - 3_600_000, goneAt: null };
  expect(deviceStateOf({ ...heard, staleSeconds: 3601 }, now, 60)).toBe("live");
  expect(deviceStateOf({ ...heard, staleSeconds: 3600 }, now, 60)).toBe("stale");
  expect(deviceStateOf({ ...heard, staleSeconds: 360 }, now, 60)).toBe("silent");
  expect(deviceStateOf({ ...heard, staleSeconds: null }, now, 60)).toBe("silent");
});
