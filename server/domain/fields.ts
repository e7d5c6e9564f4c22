import { columnsOf, type DecodedMessage, type ReadingColumns, readingsOf, type ReadingValue } from "./message";
import type { Refusal } from "./reasons";
import type { EpochMs } from "./terms";
import { convert, parseUnit } from "./units/units";

/** A field that cannot become a reading, with its place among the message's fields, which is the same each time. */
interface RefusedField extends Refusal {
  readonly field: string;
  readonly number: number;
  readonly value: unknown;
}

/** The outcome of a message's fields, given the metrics there are; its readings are in the units that their metrics have at the device. */
interface JudgedFields extends ReadingColumns {
  readonly texts: readonly (readonly [field: string, text: string])[];
  readonly refused: readonly RefusedField[];
  /** Units the message says of readings whose metric has none at the device yet: what they are from now on. */
  readonly ownUnits: readonly (readonly [metric: string, unit: string])[];
}

const NONE: readonly never[] = [];

/** What is known of a message's device that its fields are judged by. */
interface FieldContext {
  /** The time before which its readings of a metric were removed, where the message is older; null: none were. */
  readonly removedBefore?: ((name: string) => EpochMs | null) | null;
  /** The unit that a metric has at the device; null for none. Asked only of messages that say units. */
  readonly unitAt?: (name: string) => string | null;
}

/**
 * Judges every field of a message. Numbers and booleans are readings alike, whichever the metric had first; a string is
 * drift where there are readings, else a text. A number whose unit the message says is converted to the one its metric has at the device.
 * @param isMetric false when there is no such metric and no room for it.
 */
export function judgeFields(
  message: DecodedMessage,
  isMetric: (name: string) => boolean,
  { removedBefore = null, unitAt = () => null }: FieldContext = {},
): JudgedFields {
  const { shape, values } = message;
  if (isPlain(message) && removedBefore === null && shape.names.every((field) => isMetric(field)))
    return { shape, values, texts: NONE, refused: NONE, ownUnits: NONE };
  const ownUnits: (readonly [string, string])[] = [];
  const readings: (readonly [string, ReadingValue])[] = [];
  const texts: (readonly [string, string])[] = [];
  const refused: RefusedField[] = [];
  // A field's number is its place in refused, values, texts and labels, counted one after the other.
  let number = 0;
  for (const { field, value, reason, detail } of message.refused)
    refused.push({ field, value, reason, detail, number: number++ });
  for (const entry of readingsOf(message)) {
    const [field, value] = entry;
    const edge = removedBefore?.(field) ?? null;
    const said = typeof value === "number" ? message.units?.get(field) : undefined;
    if (!isMetric(field)) refused.push({ field, value, number, ...noRoom(field) });
    else if (edge !== null) refused.push({ field, value, number, ...gone(field, edge) });
    else if (said === undefined) readings.push(entry);
    else {
      const unit = unitAt(field);
      const converted = unit === null ? (value as number) : inUnit(value as number, said, unit);
      if (unit === null) ownUnits.push([field, said]);
      if (converted === null) refused.push({ field, value, number, ...otherUnit(field, said, unit!) });
      else readings.push(converted === value ? entry : [field, converted]);
    }
    number++;
  }
  for (const entry of message.texts) {
    const [field, text] = entry;
    if (isMetric(field)) refused.push({ field, value: text, number, ...drift(field) });
    else texts.push(entry);
    number++;
  }
  for (const label of message.refusedLabels) refused.push({ ...label, number: number++ });
  const isWhole = readings.length === values.length;
  const columns = isWhole ? { shape, values: readings.map(([, value]) => Number(value)) } : columnsOf(readings);
  return { texts, refused, ownUnits, ...columns };
}

/** True for a message of numbers and booleans alone that says no units: they are readings as they are, if there are such metrics. */
export function isPlain({ texts, refused, refusedLabels, units }: DecodedMessage): boolean {
  return units === undefined && texts.length + refused.length + refusedLabels.length === 0;
}

/** A number in another unit; null if it can't be told in that. */
function inUnit(value: number, from: string, to: string): number | null {
  if (from === to) return value;
  const [known, wanted] = [parseUnit(from), parseUnit(to)];
  if (known === null || wanted === null) return null;
  const converted = convert(value, known, wanted);
  return converted !== null && Number.isFinite(converted) ? converted : null;
}

/** Says why a message is refused when its device is not in the catalog and can't be added. */
export const NO_ROOM_FOR_DEVICE: Refusal = { reason: "tooManyDevices", detail: "there is no room for another device" };

/** Says why a message is refused whose sender speaks for another site than its device's, which isn't named: whoever reads this may not see it. */
export function ofOtherSite(device: string, senderSite: string): Refusal {
  return { reason: "otherSite", detail: `${device} is no device of ${senderSite}, for which its sender speaks` };
}

function drift(name: string): Refusal {
  return { reason: "typeDrift", detail: `${name} is a string; it has readings, which are numbers or booleans` };
}

function otherUnit(name: string, said: string, unit: string): Refusal {
  return {
    reason: "unitMismatch",
    detail: `${name} is sent in ${said}; its metric is in ${unit}, which that can't be converted to`,
  };
}

function noRoom(field: string): Refusal {
  return { reason: "tooManyMetrics", detail: `there is no room for another metric: ${field}` };
}

function gone(name: string, edge: EpochMs): Refusal {
  return { reason: "seriesTooOld", detail: `${name} of before ${new Date(edge).toISOString()} was removed by a rule` };
}
