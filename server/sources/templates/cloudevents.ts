import { has, NOT_MEASURED, type SourceTemplate } from "./template";

export const cloudevents: SourceTemplate = {
  kind: "cloudevents",
  title: "CloudEvents",
  doors: ["http", "kafka"],
  answer: "webhook",
  sign: "specversion, type and source",
  mapping: {
    decode: "cloudevents",
    when: [{ exists: "data" }],
    device: ["{subject}", "{source}"],
    time: [{ from: { path: "time" }, format: "rfc3339" }],
    readings: [{ root: "data" }],
    absent: NOT_MEASURED,
  },
  looksLike: ({ json, delivery }) =>
    has(json, "specversion", "source", "type") || delivery.beside.headers["ce-specversion"] !== undefined ? 0.9 : 0,
};
