import { isObject, NO_VALUE_WORDS, type SourceTemplate } from "./template";

export const generic: SourceTemplate = {
  kind: "generic",
  title: "JSON of any shape",
  doors: ["http", "mqtt", "mqtt-bridge", "kafka"],
  answer: "webhook",
  sign: "a JSON object",
  mapping: {
    decode: "json",
    each: { path: "", of: "array", optional: true },
    device: ["{device}", "{device_id}", "{deviceId}", "{dev_id}", "{id}", "{path.0}", "{query.device}", "{topic}"],
    time: ["time", "timestamp", "ts", "datetime"].map((path) => ({ from: { path }, format: "any" as const })),
    readings: [{ root: "readings" }, { root: "data" }, { root: "values" }, { root: "" }],
    absent: [
      { metric: "*", values: NO_VALUE_WORDS },
      { metric: "*DS18B20*", values: [-127] },
    ],
  },
  looksLike: ({ json }) => (isObject(json) ? 0.1 : 0),
};
