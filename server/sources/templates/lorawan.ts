import { NOT_MEASURED } from "./template";

/**
 * What decoders of LoRaWAN devices have in common, whichever network server runs them: the names that Dragino and Milesight publish. Values that say a
 * probe is absent: 0x7FFF tenths and hundredths of a degree (Dragino LHT65, manual §2.4.6).
 */
export const LORAWAN_VALUES = {
  absent: NOT_MEASURED,
  units: [
    { metric: "TempC*", from: { unit: "°C" } },
    { metric: "Hum_SHT", from: { unit: "%" } },
    { metric: "BatV", from: { unit: "V" } },
  ],
};

/** Milesight's back-fill: what a device measured while it had no network, with times of its own in seconds. */
export function historyAt(root: string) {
  return {
    root: `${root}.history`,
    arrays: "history" as const,
    historyTime: { path: "timestamp", format: "s" as const },
  };
}
