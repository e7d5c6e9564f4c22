import { at, isObject, type SourceTemplate } from "./template";

const unit = (metric: string, of: string) => ({ metric, from: { unit: of } });

export const ruuviGateway: SourceTemplate = {
  kind: "ruuvi-gateway",
  title: "Ruuvi Gateway",
  doors: ["http", "mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "gw_mac, and advertisements in hexadecimal digits",
  mapping: {
    decode: "ruuvi",
    // A gateway may hear tags of others, too.
    when: [{ exists: "readings" }],
    device: ["{tag}", "{topic.2}"],
    time: [{ from: { path: "time" }, format: "s" }],
    readings: [{ root: "readings" }, { root: "rssi" }],
    units: [
      unit("temperature", "°C"),
      unit("humidity", "%"),
      unit("pressure", "Pa"),
      unit("acceleration*", "mG"),
      unit("batteryVoltage", "mV"),
      unit("txPower", "dBm"),
      unit("rssi", "dBm"),
    ],
    labels: { gateway: "{gateway}" },
  },
  looksLike({ json }) {
    if (at(json, "data", "tags") !== undefined && at(json, "data", "gw_mac") !== undefined) return 1;
    return isObject(json) && json.gw_mac !== undefined && typeof json.data === "string" ? 1 : 0;
  },
};
