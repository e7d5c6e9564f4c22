import type { EpochMs } from "./terms";

/** live: heard from lately · stale: overdue · silent: long overdue, or it said goodbye · new: discovered, nothing committed yet. */
export const DEVICE_STATES = ["live", "stale", "silent", "new"] as const;

export type DeviceStateName = (typeof DEVICE_STATES)[number];

/** A device is silent after this many times the age that makes it stale. */
export const SILENT_AFTER = 10;

/** When a device was heard, as ingest times. */
interface Heard {
  /** The age at which it is stale, where it has one of its own. */
  readonly staleSeconds?: number | null;
  /** Null: nothing committed yet. */
  readonly lastSeen: EpochMs | null;
  /** When the goodbye came; null if none has since it was heard last. */
  readonly goneAt: EpochMs | null;
}

/** Tells the state of a device. The list of devices and the counts of the pipeline say the same in SQL. */
export function deviceStateOf(device: Heard, now: EpochMs, usualSeconds: number): DeviceStateName {
  const { lastSeen, goneAt } = device;
  const staleSeconds = device.staleSeconds ?? usualSeconds;
  if (lastSeen === null) return "new";
  if (goneAt !== null) return "silent";
  const age = now - lastSeen;
  if (age < staleSeconds * 1000) return "live";
  return age < staleSeconds * 1000 * SILENT_AFTER ? "stale" : "silent";
}
