import type { DeviceView } from "@/server/contracts/devices";
import { applyToDevice } from "./apply";
import type { LiveClient } from "./client";

/**
 * {@link LiveClient.snapshot} of several devices with one load: it begins when every device's room has been joined (or
 * waited for), and each device is brought up to date with the frames of its own room. Devices that aren't there are left out.
 */
export async function snapshotDevices(
  live: Pick<LiveClient, "snapshot">,
  ids: readonly string[],
  load: () => Promise<readonly DeviceView[]>,
): Promise<DeviceView[]> {
  let waitedFor = 0;
  let begin = () => {};
  const everyRoom = new Promise<void>((resolve) => (begin = resolve));
  const loaded = everyRoom.then(load).then((devices) => new Map(devices.map((device) => [device.id, device])));
  // Each snapshot reports the failure; without any there would be nobody to.
  loaded.catch(() => {});
  const devices = await Promise.all(
    ids.map((id) =>
      live.snapshot<DeviceView | undefined>(
        `device:${id}`,
        async () => {
          if (++waitedFor === ids.length) begin();
          return (await loaded).get(id);
        },
        (device, data) => device && applyToDevice(device, data),
      ),
    ),
  );
  return devices.filter((device) => device !== undefined);
}
