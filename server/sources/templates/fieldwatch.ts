import { OWN_MAPPING } from "@/server/domain/mapping/mapping";
import { has, isObject, type SourceTemplate, at } from "./template";

export const fieldwatch: SourceTemplate = {
  kind: "fieldwatch",
  title: "Fieldwatch's own shape",
  doors: ["http", "mqtt", "mqtt-bridge", "kafka"],
  answer: "strict",
  sign: "device, time and readings",
  mapping: OWN_MAPPING,
  looksLike: ({ json }) =>
    has(json, "device", "time") && ["readings", "state"].some((member) => isObject(at(json, member))) ? 0.9 : 0,
};
