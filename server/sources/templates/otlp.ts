import { has, type SourceTemplate } from "./template";

export const otlp: SourceTemplate = {
  kind: "otlp",
  title: "OpenTelemetry metrics (OTLP)",
  doors: ["otlp", "http"],
  answer: "strict",
  sign: "resourceMetrics, or protobuf of it",
  mapping: {
    decode: "otlp",
    names: "distinct",
    allTags: true,
    device: ["{device}"],
    time: [{ from: { path: "time" }, format: "ns" }],
    // Buckets and what is said of a series: no readings, until somebody takes the rule out.
    readings: [
      { root: "readings", depth: 0 },
      { root: "other", depth: 8, exclude: ["*"] },
    ],
    units: [{ metric: "*", from: { path: "unit" } }],
  },
  looksLike({ json, delivery: { beside, body } }) {
    if (has(json, "resourceMetrics")) return 1;
    const isPacked =
      beside.headers["content-encoding"] === "snappy" ||
      beside.headers["x-prometheus-remote-write-version"] !== undefined;
    return beside.contentType === "application/x-protobuf" && body[0] === 0x0a && !isPacked && json === undefined
      ? 0.6
      : 0;
  },
};
