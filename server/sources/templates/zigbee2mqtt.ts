import { has, isObject, levelsOf, type SourceTemplate } from "./template";

export const zigbee2mqtt: SourceTemplate = {
  kind: "zigbee2mqtt",
  title: "Zigbee2MQTT",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic zigbee2mqtt/…, or a linkquality",
  mapping: {
    decode: "json",
    when: [
      { value: "{topic.1}", differs: ["bridge"] },
      { value: "{topic.-1}", differs: ["availability", "set", "get"] },
    ],
    // Friendly names may have slashes in them.
    device: ["{topic.1+}"],
    time: [{ from: { path: "last_seen" }, format: "any" }],
    readings: [{ root: "", exclude: ["update*", "last_seen"] }],
    values: { booleans: [{ metric: "state*", true: ["ON"], false: ["OFF"] }] },
    absent: [{ metric: "*", values: ["nan", "NaN", "unknown", ""] }],
    units: [
      { metric: "temperature", from: { unit: "°C" } },
      { metric: "device_temperature", from: { unit: "°C" } },
      { metric: "humidity", from: { unit: "%" } },
      { metric: "soil_moisture", from: { unit: "%" } },
      { metric: "battery", from: { unit: "%" } },
      { metric: "pressure", from: { unit: "hPa" } },
      // That of a battery is in mV, that of the mains in V: both are called voltage.
      { metric: "voltage", where: "battery", from: { unit: "mV" } },
      { metric: "voltage", from: { unit: "V" } },
      { metric: "current", from: { unit: "A" } },
      { metric: "power", from: { unit: "W" } },
      { metric: "energy", from: { unit: "kWh" } },
      { metric: "illuminance", from: { unit: "lx" } },
      { metric: "co2", from: { unit: "ppm" } },
      { metric: "pm25", from: { unit: "µg/m³" } },
    ],
  },
  looksLike(seen) {
    if (levelsOf(seen)[0] === "zigbee2mqtt") return 1;
    return isObject(seen.json) && has(seen.json, "linkquality") ? 0.9 : 0;
  },
};
