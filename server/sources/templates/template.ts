/** Templates: what Fieldwatch knows of each kind of sender. A source begins with a copy of its template's mapping, which an editor may change. */
import type { Delivery } from "@/server/domain/mapping/delivery";
import type { MappingInput } from "@/server/domain/mapping/mapping";
import type { AnswerPolicy, SourceKind } from "@/server/domain/source";

/** Where a kind of sender can come in: by its own door of HTTP, or one of MQTT. */
type TemplateDoor = "http" | "influx" | "otlp" | "mqtt" | "mqtt-bridge" | "kafka";

export interface SourceTemplate {
  readonly kind: SourceKind;
  /** As its makers write it. */
  readonly title: string;
  /** The likeliest first. */
  readonly doors: readonly TemplateDoor[];
  readonly answer: AnswerPolicy;
  readonly mapping: MappingInput;
  /** What its payloads are known by, in words for a person. */
  readonly sign: string;
  /** How much a delivery looks like one of its, from 0 (not at all) to 1 (can hardly be anything else). */
  looksLike(seen: Seen): number;
}

/** A delivery to be guessed at. */
export interface Seen {
  readonly delivery: Delivery;
  /** As text; null if it is none. */
  readonly text: string | null;
  /** As JSON; undefined if it is none. Of an array its first element, of lines the first. */
  readonly json: unknown;
}

/** The member at a path of keys; undefined if there is none. */
export function at(json: unknown, ...keys: readonly string[]): unknown {
  let value = json;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** True if an object has all of these members. */
export function has(json: unknown, ...keys: readonly string[]): boolean {
  return keys.every((key) => at(json, key) !== undefined);
}

export function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Levels of an MQTT topic; none if it came otherwise. */
export function levelsOf({ delivery }: Seen): readonly string[] {
  return delivery.beside.topic?.split("/") ?? [];
}

/** Words of many senders for a value that isn't there, as text. */
const NO_VALUE_WORDS = ["nan", "NaN", "unavailable", "unknown", "None", "none", "NULL", "null", ""];

/** The ends of 16 bits, as they are and as hundredths and tenths: what a driver leaves that heard nothing. */
const ENDS = [32767, -32768, 65535, 327.67, -327.68, 655.35, 3276.7, -3276.8, 6553.5];

/**
 * What stands for none in the metrics of sensors, whoever sends them; by the metric's name alone, as senders don't tell the unit. A temperature that wasn't
 * measured: a DS18B20 that is gone (-127) or was just switched on (85), a PT100 that is broken (-200).
 */
export const NOT_MEASURED = [
  { metric: "*", values: NO_VALUE_WORDS },
  ...["*temp*", "*Temp*", "*TEMP*", "*DS18B20*", "*ds18b20*"].map((metric) => ({
    metric,
    values: [-127, -200, ...ENDS],
  })),
  ...["*DS18B20*", "*ds18b20*"].map((metric) => ({ metric, values: [85] })),
  ...["*hum*", "*Hum*", "RH", "rh", "AH"].map((metric) => ({ metric, values: [-127, -200, ...ENDS] })),
];
