import { levelsOf, type SourceTemplate } from "./template";

export const sparkplugB: SourceTemplate = {
  kind: "sparkplug-b",
  title: "Sparkplug B",
  doors: ["mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "topic spBv1.0/…",
  mapping: {
    decode: "sparkplug",
    when: [{ value: "{topic.2}", equals: ["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"] }],
    gone: [{ value: "{topic.2}", equals: ["NDEATH", "DDEATH"] }],
    device: ["{device}"],
    time: [{ from: { path: "time" }, format: "ms" }],
    readings: [{ root: "readings", depth: 0, exclude: ["bdSeq", "Node Control/*", "Device Control/*"] }],
    units: [{ metric: "*", from: { path: "unit" } }],
    labels: { group: "{group}", node: "{node}" },
  },
  looksLike: (seen) => (levelsOf(seen)[0] === "spBv1.0" ? 1 : 0),
};
