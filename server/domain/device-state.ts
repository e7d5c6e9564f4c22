import type { EpochMs } from "./terms";

/** live: heard from lately · stale: overdue · silent: long overdue · new: discovered, nothing committed yet. */
export const DEVICE_STATES = ["live", "stale", "silent", "new"] as const;

export type DeviceStateName = (typeof DEVICE_STATES)[number];

/** A device is silent after this many times the age that makes it stale. */
const SILENT_AFTER = 10;

/** Tells the state of a device last heard from at `lastSeen` (ingest time; null: nothing committed yet). */
export function deviceStateOf(lastSeen: EpochMs | null, now: EpochMs, staleSeconds: number): DeviceStateName {
  if (lastSeen === null) return "new";
  const age = now - lastSeen;
  if (age < staleSeconds * 1000) return "live";
  return age < staleSeconds * 1000 * SILENT_AFTER ? "stale" : "silent";
}

/** Returns the bounds of `lastSeen` in a state: after `after` and not after `until`; null leaves that end open. */
export function lastSeenIn(
  state: Exclude<DeviceStateName, "new">,
  now: EpochMs,
  staleSeconds: number,
): { readonly after: EpochMs | null; readonly until: EpochMs | null } {
  const stale = now - staleSeconds * 1000;
  const silent = now - staleSeconds * 1000 * SILENT_AFTER;
  if (state === "live") return { after: stale, until: null };
  return state === "stale" ? { after: silent, until: stale } : { after: null, until: silent };
}
