import { levelsOf, NO_VALUE_WORDS, type SourceTemplate } from "./template";

const DOMAINS = [
  "sensor",
  "binary_sensor",
  "switch",
  "light",
  "climate",
  "input_boolean",
  "input_number",
  "number",
  "person",
  "weather",
  "device_tracker",
  "cover",
  "sun",
];

/** Home Assistant's statestream knows entities, not devices: the base topic is the device, and each entity a metric. */
export const homeAssistant: SourceTemplate = {
  kind: "home-assistant",
  title: "Home Assistant (MQTT statestream)",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic <base>/<domain>/<entity>/state",
  mapping: {
    decode: "text",
    when: [{ topic: "+/+/+/state" }],
    device: ["{topic.0}"],
    readings: [{ root: "", name: "{topic.1}.{topic.2}" }],
    values: {
      booleans: [
        { metric: "*", true: ["on"], false: ["off"] },
        { metric: "person.*", true: ["home"], false: ["not_home"] },
      ],
    },
    absent: [{ metric: "*", values: NO_VALUE_WORDS }],
  },
  looksLike(seen) {
    const levels = levelsOf(seen);
    if (levels.length !== 4 || !DOMAINS.includes(levels[1]!)) return 0;
    const isBase = /^(?:homeassistant|home[-_]?assistant|hass|statestream)/i.test(levels[0]!);
    return isBase ? 0.95 : /^(?:last_(?:updated|changed)|unit_of_measurement)$/.test(levels[3]!) ? 0.9 : 0.4;
  },
};
