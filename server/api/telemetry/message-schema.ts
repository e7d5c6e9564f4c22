import { LABEL_LENGTH, UNIT_LENGTH } from "@/server/domain/label";
import { MESSAGE_LIMITS, NAME_PATTERN } from "@/server/domain/terms";

const name = { type: "string", pattern: NAME_PATTERN.source };
const unit = { type: "string", maxLength: UNIT_LENGTH };
const label = { type: ["string", "null"], maxLength: LABEL_LENGTH };

/**
 * A message in Fieldwatch's own shape, as JSON Schema. Made from the bounds that decoding applies; decoding itself
 * (server/domain/message.ts) is hand-written, because it must take the good fields of a message with a bad one.
 */
export const MESSAGE_SCHEMA = {
  title: "Message",
  type: "object",
  required: ["device", "time"],
  anyOf: [{ required: ["readings"] }, { required: ["state"] }],
  description: `At most ${MESSAGE_LIMITS.bytes} bytes and nested ${MESSAGE_LIMITS.depth} deep. Other fields are kept in the archive.`,
  properties: {
    device: { ...name, description: "The device's name" },
    time: {
      description: "Event time: RFC 3339 with a zone, or epoch seconds or milliseconds",
      oneOf: [
        { type: "string", format: "date-time" },
        { type: "number", minimum: 0 },
      ],
    },
    readings: {
      type: "object",
      minProperties: 1,
      maxProperties: MESSAGE_LIMITS.readings,
      propertyNames: name,
      additionalProperties: { type: ["number", "boolean", "string", "null"] },
      description: "Numbers and booleans become series; strings stay in message and twin; null is no reading",
    },
    units: {
      type: "object",
      propertyNames: name,
      additionalProperties: unit,
      description:
        "Units that numbers of `readings` are in, by metric. A metric that is new takes it; else the number is converted to the metric's unit, or refused as a dead letter where it can't be.",
    },
    state: {
      type: "object",
      maxProperties: MESSAGE_LIMITS.readings,
      propertyNames: name,
      additionalProperties: { type: ["number", "boolean", "string", "null"] },
      description:
        "Values of unknown age, such as retained ones: for the device's latest values alone, where none of a known time is. A message with it needs no `readings`, and says nothing of when the device was heard.",
    },
    id: { type: "string", maxLength: 256 },
    site: { ...label, description: "Where the device stands; free text on one line" },
    type: { ...label, description: "What the device is; free text on one line" },
  },
  example: { device: "press-07", time: "2026-11-23T21:10:00.123Z", readings: { temperature: 21.3, motion: false } },
} as const;
