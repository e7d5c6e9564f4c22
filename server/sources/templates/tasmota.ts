import { has, isObject, levelsOf, NOT_MEASURED, type SourceTemplate } from "./template";

/**
 * Tasmota writes local time without a zone, and many devices that of a zone nobody set: the time of arrival is nearer to the truth until somebody
 * says the zone (`time: [{from: {path: "Time"}, format: "local", zone: …}]`).
 */
export const tasmota: SourceTemplate = {
  kind: "tasmota",
  title: "Tasmota",
  doors: ["mqtt", "mqtt-bridge", "http"],
  answer: "webhook",
  sign: "topic tele/…/SENSOR or STATE, or a Time beside objects of chips",
  mapping: {
    // A will is a word.
    decode: "any",
    when: [
      { value: "{topic.-1}", equals: ["SENSOR", "STATE", "LWT", null] },
      {
        anyOf: [
          { value: "{topic.-1}", differs: ["LWT"] },
          { value: "{}", equals: ["Offline"] },
        ],
      },
    ],
    gone: [{ value: "{topic.-1}", equals: ["LWT"] }],
    // %topic% wherever the FullTopic has it: after the prefix (tele), before it, or last.
    device: [
      { name: "{topic.1:-2}", when: [{ value: "{topic.0}", equals: ["tele"] }] },
      { name: "{topic.0:-3}", when: [{ value: "{topic.-2}", equals: ["tele"] }] },
      "{topic.-2}",
      "{path.0}",
    ],
    readings: [
      {
        root: "",
        when: [{ value: "{}", equals: [null] }],
        depth: 2,
        exclude: [
          "Time",
          "ENERGY.TotalStartTime",
          "Uptime",
          "SleepMode",
          "Wifi.SSId",
          "Wifi.BSSId",
          "Wifi.Mode",
          "Wifi.Downtime",
          "*.Id",
        ],
      },
    ],
    values: {
      booleans: [
        { metric: "POWER*", true: ["ON"], false: ["OFF"] },
        { metric: "Switch*", true: ["ON"], false: ["OFF"] },
      ],
    },
    absent: NOT_MEASURED,
    units: [
      { metric: "*Temperature", from: { path: "TempUnit" } },
      { metric: "*DewPoint", from: { path: "TempUnit" } },
      { metric: "*Pressure", from: { path: "PressureUnit" } },
      { metric: "*Humidity", from: { unit: "%" } },
      { metric: "*Illuminance", from: { unit: "lx" } },
      { metric: "*CarbonDioxide", from: { unit: "ppm" } },
      { metric: "*Distance", from: { unit: "cm" } },
      { metric: "ENERGY.Power*", from: { unit: "W" } },
      { metric: "ENERGY.ApparentPower*", from: { unit: "VA" } },
      { metric: "ENERGY.ReactivePower*", from: { unit: "var" } },
      { metric: "ENERGY.Voltage*", from: { unit: "V" } },
      { metric: "ENERGY.Current*", from: { unit: "A" } },
      { metric: "ENERGY.Frequency*", from: { unit: "Hz" } },
      { metric: "ENERGY.Period*", from: { unit: "Wh" } },
      ...["Total", "Today", "Yesterday"].map((name) => ({ metric: `ENERGY.${name}*`, from: { unit: "kWh" } })),
      { metric: "Wifi.Signal", from: { unit: "dBm" } },
      { metric: "Vcc", from: { unit: "V" } },
      { metric: "UptimeSec", from: { unit: "s" } },
    ],
  },
  looksLike(seen) {
    const levels = levelsOf(seen);
    if (levels.includes("tele")) return /^(?:SENSOR|STATE)$/.test(levels.at(-1) ?? "") ? 1 : 0.8;
    if (levels.includes("stat")) return 0.7;
    const { json } = seen;
    const isLocal = isObject(json) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(String(json.Time));
    return isLocal && (Object.values(json).some(isObject) || has(json, "TempUnit")) ? 0.8 : 0;
  },
};
