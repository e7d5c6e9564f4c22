import { expect, it } from "vitest";
import { rateOf, standingOf } from "./standing";

const NOW = Date.parse("2026-11-28T12:00:00.000Z");
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const MINUTE = 60_000;
const counts = {
  received: 61,
  firstSeen: ago(60 * MINUTE),
  lastSeen: ago(1000),
  lastError: null,
  longestPauseMs: null,
};
const refused = (ms: number) => ({ at: ago(ms), reason: "noDevice", path: "", detail: "no device", sample: null });
interface More {
  received?: number;
  firstSeen?: string;
  lastSeen?: string;
  lastError?: ReturnType<typeof refused>;
  longestPauseMs?: number;
}
const standing = (more: More, enabled = true) =>
  standingOf({ enabled, updatedAt: ago(120 * MINUTE), counts: { ...counts, ...more } }, NOW);

it("tells a source that receives from one that waits, refuses or is disabled", () => {
  expect(standing({})).toBe("receiving");
  expect(standing({ received: 0, firstSeen: null!, lastSeen: null! })).toBe("waiting");
  expect(standing({}, false)).toBe("disabled");
  expect(standing({ lastError: refused(2000) })).toBe("refusing");
  expect(standing({ lastError: refused(20 * MINUTE) })).toBe("receiving");
});

it("tells a source whose door is in trouble, whatever came before, unless it is disabled", () => {
  const source = { enabled: true, updatedAt: ago(MINUTE), counts };
  expect(standingOf(source, NOW, "The broker fell silent.")).toBe("cutOff");
  expect(standingOf({ ...source, enabled: false }, NOW, "The broker fell silent.")).toBe("disabled");
});

it("holds nothing against a source that was changed since it refused", () => {
  expect(standingOf({ enabled: true, updatedAt: ago(500), counts: { ...counts, lastError: refused(1000) } }, NOW)).toBe(
    "receiving",
  );
});

it("calls a source silent by its own usual pause", () => {
  expect(standing({ lastSeen: ago(4 * MINUTE), firstSeen: ago(64 * MINUTE) })).toBe("receiving");
  expect(standing({ lastSeen: ago(6 * MINUTE), firstSeen: ago(66 * MINUTE) })).toBe("silent");
  const hourly = { received: 25, firstSeen: ago(28 * 60 * MINUTE) };
  expect(standing({ ...hourly, lastSeen: ago(4 * 60 * MINUTE) })).toBe("receiving");
  expect(standing({ ...hourly, lastSeen: ago(6 * 60 * MINUTE) })).toBe("silent");
  expect(standing({ received: 1, firstSeen: ago(20 * 60 * MINUTE), lastSeen: ago(20 * 60 * MINUTE) })).toBe(
    "receiving",
  );
});

it("knows a source that sends a handful an hour by its longest pause, and nothing from a few trials", () => {
  const bursts = { received: 100, firstSeen: ago(11 * 60 * MINUTE), longestPauseMs: 59 * MINUTE };
  expect(standing({ ...bursts, lastSeen: ago(90 * MINUTE) })).toBe("receiving");
  expect(standing({ ...bursts, lastSeen: ago(120 * MINUTE) })).toBe("silent");
  expect(standing({ received: 3, firstSeen: ago(61 * MINUTE), lastSeen: ago(60 * MINUTE) })).toBe("receiving");
});

it("makes a rate of many messages, and none of a few", () => {
  expect(rateOf([{ at: 0, count: 0 }])).toBeNull();
  expect(
    rateOf([
      { at: 0, count: 0 },
      { at: 9000, count: 1 },
    ]),
  ).toBeNull();
  expect(
    rateOf([
      { at: 0, count: 10 },
      { at: 3000, count: 40 },
      { at: 10_000, count: 135 },
    ]),
  ).toBe(12.5);
});
