import { historyAt, LORAWAN_VALUES } from "./lorawan";
import { at, levelsOf, type SourceTemplate } from "./template";

export const chirpstackV4: SourceTemplate = {
  kind: "chirpstack-v4",
  title: "ChirpStack v4",
  doors: ["http", "mqtt-bridge", "mqtt"],
  answer: "webhook",
  sign: "deviceInfo.devEui",
  mapping: {
    decode: "json",
    // By HTTP ?event=up, by MQTT application/…/device/…/event/up; joins, status and logs are no data.
    when: [
      { value: "{query.event}", equals: ["up", null] },
      { value: "{topic.-1}", equals: ["up", null] },
      { anyOf: [{ exists: "data" }, { exists: "object" }] },
    ],
    device: ["{deviceInfo.devEui}"],
    time: [{ from: { path: "time" }, format: "rfc3339" }],
    readings: [historyAt("object"), { root: "object", exclude: ["history.*"] }],
    ...LORAWAN_VALUES,
    labels: {
      name: "{deviceInfo.deviceName}",
      application: "{deviceInfo.applicationName}",
      type: "{deviceInfo.deviceProfileName}",
    },
  },
  looksLike(seen) {
    if (at(seen.json, "deviceInfo", "devEui") !== undefined) return 1;
    const levels = levelsOf(seen);
    return levels[0] === "application" && levels[2] === "device" ? 0.8 : 0;
  },
};
