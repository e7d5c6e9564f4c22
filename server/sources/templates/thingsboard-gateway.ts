import { has, isObject, levelsOf, NOT_MEASURED, type SourceTemplate } from "./template";

export const thingsboardGateway: SourceTemplate = {
  kind: "thingsboard-gateway",
  title: "ThingsBoard gateway API",
  doors: ["http", "mqtt"],
  answer: "webhook",
  sign: "devices' names with lists of ts and values",
  mapping: {
    decode: "json",
    when: [{ value: "{topic.-1}", equals: ["telemetry", null] }],
    each: { path: "", of: "object" },
    device: ["{@key}"],
    // Of a device whose values come alone, not as a list.
    time: [{ from: { path: "ts" }, format: "any" }],
    readings: [{ root: "", arrays: "history", historyTime: { path: "ts", format: "any" } }],
    // Elements are {ts, values: {…}}, or the values themselves.
    rename: [{ from: "values.*", to: "{*}" }],
    absent: NOT_MEASURED,
  },
  looksLike(seen) {
    const levels = levelsOf(seen);
    if (levels[0] === "v1" && levels[1] === "gateway") return 1;
    const { json } = seen;
    if (!isObject(json)) return 0;
    const told = Object.values(json);
    const isGateway = (list: unknown) => [list].flat().every((each) => isObject(each) && has(each, "values"));
    return told.length > 0 && told.every(isGateway) ? 0.95 : 0;
  },
};
