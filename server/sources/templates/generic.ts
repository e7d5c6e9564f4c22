import { isObject, NOT_MEASURED, type SourceTemplate } from "./template";

/** Names of concentrations; the shortest only as they are. */
const NEVER_NEGATIVE = [
  ...["*gas*", "*Gas*", "*_28GT_29", "PT08*"],
  ...["CO", "co", "CO2", "co2", "NO2", "no2", "NOx", "nox", "O3", "o3", "C6H6", "NMHC"],
];

export const generic: SourceTemplate = {
  kind: "generic",
  title: "JSON of any shape",
  doors: ["http", "mqtt", "mqtt-bridge", "kafka"],
  answer: "webhook",
  sign: "a JSON object",
  mapping: {
    decode: "any",
    each: { path: "", of: "array", optional: true },
    device: ["{device}", "{device_id}", "{deviceId}", "{dev_id}", "{id}", "{path.0}", "{query.device}", "{topic}"],
    time: ["time", "timestamp", "ts", "datetime"].map((path) => ({ from: { path }, format: "any" as const })),
    readings: [{ root: "readings" }, { root: "data" }, { root: "values" }, { root: "" }],
    absent: [
      ...NOT_MEASURED,
      // Gases are never negative; -200 is what many data sets have for none.
      ...NEVER_NEGATIVE.map((metric) => ({ metric, values: [-200, -127, 327.67] })),
    ],
  },
  looksLike: ({ json, text }) => (isObject(json) ? 0.1 : text === null ? 0 : 0.05),
};
