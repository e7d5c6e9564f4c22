import type { JsonReading } from "./json";
import { isObject, own } from "./json-values";

/** Paths of a foreign message's device, time and readings, separated by dots. */
export interface MessageMapping {
  readonly device: string;
  readonly time: string;
  readonly readings: string;
}

/** Fieldwatch's own shape. */
export const CANONICAL_MAPPING: MessageMapping = { device: "device", time: "time", readings: "readings" };

/**
 * Brings a foreign message into Fieldwatch's own shape: the three mapped values are placed under `device`,
 * `time` and `readings`; every other top-level field stays. What is missing stays missing, for decoding to name.
 */
export function mapMessage(reading: JsonReading, mapping: MessageMapping): JsonReading {
  const { json, tokens } = reading;
  if (!isObject(json)) return reading;
  const mapped = {
    device: at(json, mapping.device),
    time: at(json, mapping.time),
    readings: at(json, mapping.readings),
  };
  const taken = new Set([mapping.device, mapping.time, mapping.readings, "device", "time", "readings"]);
  const rest = Object.entries(json).filter(([key]) => !taken.has(key) && key !== "__proto__");
  const message = { ...mapped, ...Object.fromEntries(rest) };
  const written = tokens.get(json);
  const repeated = reading.repeated?.flatMap((names) => mappedNames(names, json, mapping)) ?? [];
  return {
    json: message,
    tokens: written ? new Map(tokens).set(message, written) : tokens,
    ...(repeated.length > 0 && { repeated }),
  };
}

/** Where in a mapped message a member is that comes again, if it is the device, the time, or in the readings. */
function mappedNames(names: readonly string[], json: object, mapping: MessageMapping): string[][] {
  return (["device", "time", "readings"] as const).flatMap((part) => {
    const path = Object.hasOwn(json, mapping[part]) ? [mapping[part]] : mapping[part].split(".");
    const shared = path.slice(0, names.length);
    return shared.every((name, i) => names[i] === name) ? [[part, ...names.slice(path.length)]] : [];
  });
}

function at(json: object, path: string): unknown {
  // A field may itself contain dots; the plain key wins over the path.
  if (Object.hasOwn(json, path)) return own(json, path);
  let value: unknown = json;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = own(value, key);
  }
  return value;
}
