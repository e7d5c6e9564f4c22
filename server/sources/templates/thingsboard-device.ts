import { has, isObject, levelsOf, type SourceTemplate, at } from "./template";

/**
 * A device of ThingsBoard is known by its token alone; here the address or the topic names it: POST …/ingest/<source>/<device>/telemetry, or
 * v1/devices/<device>/telemetry.
 */
export const thingsboardDevice: SourceTemplate = {
  kind: "thingsboard-device",
  title: "ThingsBoard device API",
  doors: ["http", "mqtt"],
  answer: "webhook",
  sign: "topic v1/devices/…/telemetry, or ts beside values",
  mapping: {
    decode: "json",
    when: [
      { value: "{topic.-1}", equals: ["telemetry", null] },
      { value: "{path.1}", equals: ["telemetry", null] },
    ],
    each: { path: "", of: "array", optional: true },
    device: ["{path.0}", "{topic.2}"],
    time: [{ from: { path: "ts" }, format: "ms" }],
    readings: [{ root: "values" }, { root: "" }],
    absent: [{ metric: "*", values: ["nan", "NaN"] }],
  },
  looksLike(seen) {
    const levels = levelsOf(seen);
    if (levels[0] === "v1" && levels[1] === "devices") return 1;
    const { json, delivery } = seen;
    if (["telemetry", "attributes"].includes(delivery.beside.path[1] ?? "")) return 0.9;
    return isObject(json) && has(json, "ts", "values") && isObject(at(json, "values")) ? 0.8 : 0;
  },
};
