import { levelsOf, NO_VALUE_WORDS, type SourceTemplate } from "./template";

const COMPONENTS = ["sensor", "binary_sensor", "switch", "text_sensor", "number", "light", "fan", "cover", "lock"];

export const esphome: SourceTemplate = {
  kind: "esphome",
  title: "ESPHome",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic <node>/sensor/<name>/state with a single value",
  mapping: {
    decode: "text",
    when: [{ topic: "+/+/+/state" }],
    device: ["{topic.0}"],
    readings: [{ root: "", name: "{topic.2}" }],
    values: { booleans: [{ metric: "*", true: ["ON"], false: ["OFF"] }] },
    absent: [{ metric: "*", values: NO_VALUE_WORDS }],
  },
  looksLike(seen) {
    const levels = levelsOf(seen);
    return levels.length === 4 &&
      levels[3] === "state" &&
      COMPONENTS.includes(levels[1]!) &&
      !levels[0]!.startsWith("homeassistant")
      ? 0.7
      : 0;
  },
};
