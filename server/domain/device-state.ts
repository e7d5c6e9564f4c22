import type { EpochMs } from "./terms";

/** live: heard from lately · stale: overdue · silent: long overdue, or it said goodbye · new: discovered, nothing committed yet. */
export const DEVICE_STATES = ["live", "stale", "silent", "new"] as const;

export type DeviceStateName = (typeof DEVICE_STATES)[number];

/** A device is silent after this many times the age that makes it stale. */
const SILENT_AFTER = 10;

/** When a device was heard, as ingest times. */
interface Heard {
  /** Null: nothing committed yet. */
  readonly lastSeen: EpochMs | null;
  /** When the goodbye came; null if none has since it was heard last. */
  readonly goneAt: EpochMs | null;
}

/** Tells the state of a device. The list of devices and the counts of the pipeline say the same in SQL. */
export function deviceStateOf({ lastSeen, goneAt }: Heard, now: EpochMs, staleSeconds: number): DeviceStateName {
  if (lastSeen === null) return "new";
  if (goneAt !== null) return "silent";
  const age = now - lastSeen;
  if (age < staleSeconds * 1000) return "live";
  return age < staleSeconds * 1000 * SILENT_AFTER ? "stale" : "silent";
}

/** Returns the bounds of `lastSeen` in a state, of devices that said no goodbye: after `after` and not after `until`; null leaves that end open. */
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
