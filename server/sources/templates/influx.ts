import { type SourceTemplate } from "./template";

/** A measurement, perhaps tags, fields, perhaps a time. */
const LINE = /^\s*(?:#[^\n]*\n\s*)*[^\s,{[<"][^\s]*(?:\\ [^\s]*)* [^\s=,]+(?:\\ [^\s=,]*)*=(?:"|[-+.\dtTfFN])/;

export const influx: SourceTemplate = {
  kind: "influx",
  title: "InfluxDB line protocol (Telegraf, Node-RED, …)",
  doors: ["influx", "http", "mqtt", "mqtt-bridge", "kafka"],
  answer: "strict",
  sign: "lines of measurement,tags fields time",
  mapping: {
    decode: "influx",
    names: "distinct",
    allTags: true,
    device: ["{device}"],
    time: [{ from: { path: "time" }, format: "ns" }],
    readings: [{ root: "fields", depth: 0, prefix: "{series}." }],
  },
  looksLike: ({ text, json }) => (json === undefined && text !== null && LINE.test(text) ? 0.9 : 0),
};
