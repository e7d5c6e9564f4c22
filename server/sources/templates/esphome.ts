import { levelsOf, NOT_MEASURED, type SourceTemplate } from "./template";

const COMPONENTS = [
  ...["sensor", "binary_sensor", "switch", "text_sensor", "number", "select", "light", "fan", "cover", "lock"],
  ...["valve", "climate", "text", "date", "time", "datetime", "alarm_control_panel", "event", "update"],
];
/** Those that publish several values each, to <prefix>/climate/<name>/current_temperature/state. */
const OF_SEVERAL = ["climate", "fan", "cover", "valve"];

const ONE = { value: "{topic.-3}", equals: COMPONENTS };
const OF_STATUS = { value: "{topic.-1}", equals: ["status"] };
const ONE_OF_SEVERAL = [
  { value: "{topic.-4}", equals: OF_SEVERAL },
  { value: "{topic.-3}", differs: COMPONENTS },
];

export const esphome: SourceTemplate = {
  kind: "esphome",
  title: "ESPHome",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic <node>/sensor/<name>/state with a single value",
  mapping: {
    decode: "text",
    when: [
      { value: "{topic.-1}", equals: ["state", "status"] },
      { anyOf: [ONE, { value: "{topic.-4}", equals: OF_SEVERAL }, OF_STATUS] },
      {
        anyOf: [
          { value: "{topic.-1}", differs: ["status"] },
          { value: "{}", equals: ["offline"] },
        ],
      },
    ],
    gone: [OF_STATUS],
    // A prefix may have slashes in it.
    device: [
      { name: "{topic.0:-2}", when: [OF_STATUS] },
      { name: "{topic.0:-5}", when: ONE_OF_SEVERAL },
      "{topic.0:-4}",
    ],
    readings: [
      // A light's state is JSON.
      { root: "", name: "{topic.-2}", when: [ONE, { value: "{}", differs: [null] }] },
      { root: "", prefix: "{topic.-2}.", when: [ONE, { value: "{}", equals: [null] }] },
      { root: "", name: "{topic.-3}.{topic.-2}", when: ONE_OF_SEVERAL },
    ],
    values: { booleans: [{ metric: "*", true: ["ON"], false: ["OFF"] }] },
    absent: NOT_MEASURED,
  },
  looksLike(seen) {
    const levels = levelsOf(seen);
    const isKnown = COMPONENTS.includes(levels.at(-3) ?? "") || OF_SEVERAL.includes(levels.at(-4) ?? "");
    const isWill = levels.length >= 2 && levels.at(-1) === "status" && /^(?:on|off)line$/.test(seen.text?.trim() ?? "");
    if (isWill) return 0.6;
    return levels.length >= 4 && levels.at(-1) === "state" && isKnown && !levels[0]!.startsWith("homeassistant")
      ? 0.7
      : 0;
  },
};
