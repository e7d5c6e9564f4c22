import type { DeviceView } from "@/server/contracts/devices";
import type { CatalogDevice } from "@/server/database/devices";
import { deviceStateOf } from "@/server/domain/device-state";
import type { Twin } from "@/server/ports/device-twins";
import { toInstant, toInstantOrNull } from "../instant";

/** A device of the catalog with its twin, as answered. `now` in epoch milliseconds. */
export function toDeviceView(
  device: CatalogDevice,
  twin: Twin | undefined,
  now: number,
  staleSeconds: number,
): DeviceView {
  const values = [...(twin?.values ?? [])].map(
    ([metric, { value, eventTime }]) => [metric, { value, time: toInstant(eventTime) }] as const,
  );
  return {
    id: device.name,
    site: device.site,
    type: device.type,
    state: deviceStateOf(device.lastSeen, now, staleSeconds),
    firstSeen: toInstant(device.firstSeen),
    lastSeen: toInstantOrNull(device.lastSeen),
    lastEventTime: toInstantOrNull(device.lastEventTime),
    messages: device.messages,
    values: Object.fromEntries(values),
  };
}
