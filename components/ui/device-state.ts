"use client";
import type { DeviceState, DeviceView } from "@/server/contracts/devices";
import { deviceStateOf } from "@/server/domain/device-state";
import { useClock } from "./clock";

/** What of a device its state follows from. */
type Heard = Pick<DeviceView, "state" | "lastSeen" | "goneAt" | "staleSeconds">;

/** The state of a device as time passes, because no frame tells of one that sends nothing more; null while the device isn't known. */
export function useDeviceState(device: Heard | undefined): DeviceState | null {
  const lastSeen = device?.lastSeen ? Date.parse(device.lastSeen) : null;
  const goneAt = device?.goneAt ? Date.parse(device.goneAt) : null;
  const passed = useClock((now) => deviceStateOf({ lastSeen, goneAt }, now, device?.staleSeconds ?? 0));
  return device === undefined ? null : (passed ?? device.state);
}

/** Whether what a device said last may not be so any more: it is overdue, or said goodbye. */
export function isBehind(state: DeviceState | null): boolean {
  return state === "stale" || state === "silent";
}
