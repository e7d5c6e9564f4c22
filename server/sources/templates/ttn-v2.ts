import { LORAWAN_VALUES } from "./lorawan";
import { has, type SourceTemplate } from "./template";

export const ttnV2: SourceTemplate = {
  kind: "ttn-v2",
  title: "The Things Network v2",
  doors: ["http", "mqtt-bridge"],
  answer: "webhook",
  sign: "dev_id, hardware_serial and payload_raw",
  mapping: {
    decode: "json",
    when: [{ exists: "payload_raw" }],
    device: ["{dev_id}", "{hardware_serial}"],
    time: [{ from: { path: "metadata.time" }, format: "rfc3339" }],
    readings: [{ root: "payload_fields" }],
    ...LORAWAN_VALUES,
    labels: { application: "{app_id}", devEui: "{hardware_serial}" },
  },
  looksLike: ({ json }) =>
    has(json, "dev_id", "hardware_serial") && (has(json, "payload_raw") || has(json, "metadata")) ? 1 : 0,
};
