import { historyAt, LORAWAN_VALUES } from "./lorawan";
import { at, has, type SourceTemplate } from "./template";

const DECODED = "uplink_message.decoded_payload";

export const ttnV3: SourceTemplate = {
  kind: "ttn-v3",
  title: "The Things Stack (TTN v3)",
  doors: ["http", "mqtt-bridge"],
  answer: "webhook",
  sign: "end_device_ids and uplink_message",
  mapping: {
    decode: "json",
    // Joins, acknowledgements and locations come to the same address; an uplink without a payload is of the network alone.
    when: [{ anyOf: [{ exists: "uplink_message.frm_payload" }, { exists: DECODED }] }],
    device: ["{end_device_ids.device_id}", "{end_device_ids.dev_eui}"],
    time: ["uplink_message.received_at", "received_at"].map((path) => ({ from: { path }, format: "rfc3339" as const })),
    readings: [historyAt(DECODED), { root: DECODED, exclude: ["history.*"] }],
    ...LORAWAN_VALUES,
    labels: {
      application: "{end_device_ids.application_ids.application_id}",
      devEui: "{end_device_ids.dev_eui}",
      type: "{uplink_message.version_ids.model_id}",
    },
  },
  looksLike: ({ json }) =>
    has(json, "end_device_ids") &&
    (has(json, "uplink_message") || has(json, "join_accept") || at(json, "received_at") !== undefined)
      ? 1
      : 0,
};
