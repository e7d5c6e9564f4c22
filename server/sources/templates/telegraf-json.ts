import { at, has, type SourceTemplate } from "./template";

export const telegrafJson: SourceTemplate = {
  kind: "telegraf-json",
  title: "Telegraf, JSON by HTTP",
  doors: ["http", "mqtt", "mqtt-bridge", "kafka"],
  answer: "webhook",
  sign: "fields, tags, name and timestamp",
  mapping: {
    decode: "telegraf",
    names: "distinct",
    allTags: true,
    device: ["{device}"],
    time: [{ from: { path: "timestamp" }, format: "any" }],
    readings: [{ root: "fields", prefix: "{series}." }],
  },
  looksLike({ json }) {
    const metrics = at(json, "metrics");
    const first: unknown = Array.isArray(metrics) ? metrics[0] : json;
    return has(first, "fields", "name", "tags", "timestamp") ? 1 : 0;
  },
};
