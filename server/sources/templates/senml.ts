import { has, NOT_MEASURED, type SourceTemplate } from "./template";

export const senml: SourceTemplate = {
  kind: "senml",
  title: "SenML (RFC 8428)",
  doors: ["http", "mqtt", "mqtt-bridge"],
  answer: "webhook",
  sign: "records of n or bn and v",
  mapping: {
    decode: "senml",
    device: ["{device}"],
    time: [{ from: { path: "time" }, format: "s" }],
    readings: [{ root: "readings", depth: 0 }],
    absent: NOT_MEASURED,
    units: [{ metric: "*", from: { path: "unit" } }],
  },
  looksLike({ json, delivery }) {
    if (/^application\/(?:senml|sensml)\+json/i.test(delivery.beside.contentType ?? "")) return 1;
    const isNamed = has(json, "n") || has(json, "bn");
    return isNamed && ["v", "vb", "vs", "vd", "bt", "bver", "bu"].some((key) => has(json, key)) ? 0.95 : 0;
  },
};
