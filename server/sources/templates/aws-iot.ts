import { at, has, isObject, NOT_MEASURED, type SourceTemplate } from "./template";

/** What a rule sends is what its SELECT says: `SELECT *, topic(2) AS device, timestamp() AS ts FROM 'sensors/+'` is read as it is, and shadows. */
export const awsIot: SourceTemplate = {
  kind: "aws-iot",
  title: "AWS IoT Core rule",
  doors: ["http"],
  answer: "webhook",
  sign: "state.reported of a shadow, or clientid, thing and topic beside values",
  mapping: {
    decode: "json",
    each: { path: "", of: "array", optional: true },
    device: ["{device}", "{thingName}", "{thing}", "{deviceId}", "{device_id}", "{clientid}", "{clientId}", "{path.0}"],
    time: ["ts", "timestamp", "time"].map((path) => ({ from: { path }, format: "any" as const })),
    readings: [
      { root: "state.reported" },
      {
        root: "",
        exclude: [
          "state.*",
          "metadata.*",
          "current.*",
          "previous.*",
          "version",
          "clientToken",
          "topic",
          "traceId",
          "principal",
        ],
      },
    ],
    absent: NOT_MEASURED,
  },
  looksLike({ json, delivery }) {
    if (delivery.beside.headers["x-amz-rules-engine-message-type"] !== undefined) return 1;
    if (isObject(at(json, "state", "reported"))) return 0.9;
    return ["clientid", "thing", "thingName"].some((key) => has(json, key)) &&
      (has(json, "topic") || has(json, "ts") || has(json, "timestamp"))
      ? 0.6
      : 0;
  },
};
