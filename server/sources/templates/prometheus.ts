import { type SourceTemplate } from "./template";

export const prometheus: SourceTemplate = {
  kind: "prometheus",
  title: "Prometheus remote-write",
  doors: ["http"],
  answer: "strict",
  sign: "protobuf packed by snappy",
  mapping: {
    decode: "remote-write",
    names: "distinct",
    allTags: true,
    device: ["{device}"],
    time: [{ from: { path: "time" }, format: "ms" }],
    // Buckets and what is said of a series: no readings, until somebody takes the rule out.
    readings: [
      { root: "readings", depth: 0 },
      { root: "other", depth: 8, exclude: ["*"] },
    ],
  },
  looksLike({ json, delivery: { beside } }) {
    if (beside.headers["x-prometheus-remote-write-version"] !== undefined) return 1;
    const isPacked = beside.headers["content-encoding"] === "snappy";
    return json === undefined && isPacked && beside.contentType === "application/x-protobuf" ? 0.9 : 0;
  },
};
