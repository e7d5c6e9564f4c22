import { has, isObject, levelsOf, NOT_MEASURED, type SourceTemplate, at } from "./template";

/**
 * A device of ThingsBoard is known by its token alone. What stands at the token's place in the address names it here (it opens nothing: the source's
 * key does), and a topic has to name it: v1/devices/<device>/telemetry, where all devices have "me" else.
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
      { value: "{path.-1}", equals: ["telemetry", null] },
    ],
    each: { path: "", of: "array", optional: true },
    device: [
      {
        none: 'all devices are "me" in this topic: publish to v1/devices/<device>/telemetry, or post to …/api/v1/<device>/telemetry',
        when: [{ value: "{topic.2}", equals: ["me"] }],
      },
      { name: "{path.2}", when: [{ value: "{path.0}/{path.1}", equals: ["api/v1"] }] },
      { name: "{path.0}", when: [{ value: "{path.0}", differs: ["api", "telemetry"] }] },
      "{topic.2}",
    ],
    // In ms, but of senders that count seconds: "any" tells them apart.
    time: [{ from: { path: "ts" }, format: "any" }],
    readings: [{ root: "values" }, { root: "" }],
    absent: NOT_MEASURED,
  },
  looksLike(seen) {
    const levels = levelsOf(seen);
    if (levels[0] === "v1" && levels[1] === "devices") return 1;
    const { json, delivery } = seen;
    if (["telemetry", "attributes"].includes(delivery.beside.path.at(-1) ?? "")) return 0.9;
    return isObject(json) && has(json, "ts", "values") && isObject(at(json, "values")) ? 0.8 : 0;
  },
};
