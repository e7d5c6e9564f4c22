import { has, isObject, type SourceTemplate, at } from "./template";

export const fieldwatch: SourceTemplate = {
  kind: "fieldwatch",
  title: "Fieldwatch's own shape",
  doors: ["http", "mqtt", "mqtt-bridge", "kafka"],
  answer: "strict",
  sign: "device, time and readings",
  mapping: {
    decode: "json",
    each: { path: "", of: "array", optional: true },
    device: ["{device}"],
    time: [{ from: { path: "time" }, format: "any" }],
    withoutTime: "refuse",
    readings: [{ root: "readings", depth: 0 }],
    values: { numericStrings: false },
    labels: { site: "{site}", type: "{type}" },
  },
  looksLike: ({ json }) => (has(json, "device", "time", "readings") && isObject(at(json, "readings")) ? 0.9 : 0),
};
