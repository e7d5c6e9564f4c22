import { has, isObject, levelsOf, NOT_MEASURED, type SourceTemplate } from "./template";

const ATTRIBUTE = { value: "{}", differs: [null] };
const WHOLE = { value: "{}", equals: [null] };
const OF_AVAILABILITY = { value: "{topic.-1}", equals: ["availability"] };
const NO_READINGS = ["update*", "last_seen"];

export const zigbee2mqtt: SourceTemplate = {
  kind: "zigbee2mqtt",
  title: "Zigbee2MQTT",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic zigbee2mqtt/…, or a linkquality",
  mapping: {
    decode: "any",
    when: [
      { value: "{topic.1}", differs: ["bridge"] },
      { value: "{topic.-1}", differs: ["set", "get"] },
      // Those who are back say so by their next message.
      {
        anyOf: [
          { value: "{topic.-1}", differs: ["availability"] },
          { value: "{state}", equals: ["offline"] },
          { value: "{}", equals: ["offline"] },
        ],
      },
    ],
    gone: [OF_AVAILABILITY],
    // Friendly names may have slashes in them; a single value is an attribute, which the last level names.
    device: [
      { name: "{topic.1:-2}", when: [OF_AVAILABILITY] },
      { name: "{topic.1:-2}", when: [ATTRIBUTE] },
      { name: "{topic.1+}", when: [WHOLE] },
    ],
    time: [{ from: { path: "last_seen" }, format: "any" }],
    readings: [
      { root: "", exclude: NO_READINGS, when: [WHOLE] },
      { root: "", exclude: NO_READINGS, when: [ATTRIBUTE], name: "{topic.-1}" },
    ],
    values: { booleans: [{ metric: "state*", true: ["ON"], false: ["OFF"] }] },
    absent: NOT_MEASURED,
    units: [
      { metric: "temperature", from: { unit: "°C" } },
      { metric: "device_temperature", from: { unit: "°C" } },
      { metric: "humidity", from: { unit: "%" } },
      { metric: "soil_moisture", from: { unit: "%" } },
      { metric: "battery", from: { unit: "%" } },
      { metric: "pressure", from: { unit: "hPa" } },
      // That of a battery is in mV, that of the mains in V: both are called voltage, and nothing tells them apart where it comes alone.
      { metric: "voltage", where: "battery", from: { unit: "mV" } },
      { metric: "voltage", where: "voltage", from: { unit: "V" } },
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
