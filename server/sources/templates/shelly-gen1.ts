import { levelsOf, NOT_MEASURED, type SourceTemplate } from "./template";

export const shellyGen1: SourceTemplate = {
  kind: "shelly-gen1",
  title: "Shelly, generation 1",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic shellies/…",
  mapping: {
    decode: "text",
    when: [
      { topic: "shellies/+/+/#" },
      { value: "{topic.2}", differs: ["command", "announce", "info", "online"] },
      { value: "{topic.-1}", differs: ["command", "set"] },
    ],
    device: ["{topic.1}"],
    readings: [{ root: "", name: "{topic.2+}", depth: 0, exclude: ["*temperature_f*", "*temperatures*", "timestamp"] }],
    values: { booleans: [{ metric: "*", true: ["on", "open"], false: ["off", "close"] }] },
    absent: [
      ...NOT_MEASURED,
      // A probe that isn't there.
      { metric: "ext_temperature*", values: [999] },
      { metric: "sensor.temperature", values: [999] },
      { metric: "ext_humidity*", values: [999] },
    ],
    units: [
      { metric: "*.power", from: { unit: "W" } },
      { metric: "*.energy", from: { unit: "W·min" } },
      { metric: "*.returned_energy", from: { unit: "W·min" } },
      { metric: "*.total", from: { unit: "Wh" } },
      { metric: "*.total_returned", from: { unit: "Wh" } },
      { metric: "emeter.*.reactive_power", from: { unit: "var" } },
      { metric: "emeter.*.voltage", from: { unit: "V" } },
      { metric: "emeter.*.current", from: { unit: "A" } },
      { metric: "voltage", from: { unit: "V" } },
      { metric: "temperature", from: { unit: "°C" } },
      { metric: "ext_temperature*", from: { unit: "°C" } },
      { metric: "*humidity*", from: { unit: "%" } },
      { metric: "sensor.battery", from: { unit: "%" } },
      { metric: "sensor.lux", from: { unit: "lx" } },
    ],
  },
  looksLike: (seen) => (levelsOf(seen)[0] === "shellies" ? 1 : 0),
};
