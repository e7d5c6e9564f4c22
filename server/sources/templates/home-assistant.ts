import { levelsOf, NOT_MEASURED, type SourceTemplate } from "./template";

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

/** Attributes that are measurements or settings, of domains whose state is only a word. */
const ATTRIBUTES = [
  ...["current_temperature", "temperature", "target_temp_high", "target_temp_low", "current_humidity", "humidity"]
    .concat("hvac_action")
    .flatMap((name) => [`climate.${name}`, `water_heater.${name}`, `humidifier.${name}`]),
  ...["temperature", "humidity", "pressure", "wind_speed", "wind_bearing", "dew_point"].map(
    (name) => `weather.${name}`,
  ),
  ...["fan.percentage", "cover.current_position", "light.brightness"],
];
const STATE = { value: "{topic.-1}", equals: ["state"] };
const ATTRIBUTE = { value: "{topic.-3}.{topic.-1}", equals: ATTRIBUTES };

/** Home Assistant's statestream knows entities, not devices: the base topic is the device, and each entity a metric. */
export const homeAssistant: SourceTemplate = {
  kind: "home-assistant",
  title: "Home Assistant (MQTT statestream)",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic <base>/<domain>/<entity>/state",
  mapping: {
    decode: "text",
    when: [{ value: "{topic.-4}", differs: [null] }, { anyOf: [STATE, ATTRIBUTE] }],
    device: ["{topic.0:-4}"],
    readings: [
      { root: "", name: "{topic.-3}.{topic.-2}", when: [STATE] },
      { root: "", name: "{topic.-3}.{topic.-2}.{topic.-1}", when: [ATTRIBUTE] },
    ],
    values: {
      booleans: [
        { metric: "*", true: ["on"], false: ["off"] },
        { metric: "person.*", true: ["home"], false: ["not_home"] },
      ],
    },
    absent: NOT_MEASURED,
  },
  looksLike(seen) {
    const levels = levelsOf(seen);
    if (levels.length < 4 || !DOMAINS.includes(levels.at(-3)!)) return 0;
    const isBase = /^(?:homeassistant|home[-_]?assistant|hass|statestream)/i.test(levels[0]!);
    return isBase ? 0.95 : /^(?:last_(?:updated|changed)|unit_of_measurement)$/.test(levels.at(-1)!) ? 0.9 : 0.4;
  },
};
