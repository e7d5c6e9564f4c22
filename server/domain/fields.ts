import type { DecodedMessage, ReadingValue } from "./message";
import type { Refusal } from "./reasons";
import type { EpochMs } from "./terms";

/** A field that cannot become a reading, with its place among the message's fields, which is the same each time. */
interface RefusedField extends Refusal {
  readonly field: string;
  readonly number: number;
  readonly value: unknown;
}

/** The outcome of a message's fields, given the metrics there are. */
export interface JudgedFields {
  readonly readings: readonly (readonly [metric: string, value: ReadingValue])[];
  readonly texts: readonly (readonly [field: string, text: string])[];
  readonly refused: readonly RefusedField[];
}

/**
 * Judges every field of a message. Numbers and booleans are readings alike, whichever the metric had first; a string is
 * drift where there are readings, else a text.
 * @param isMetric false when there is no such metric and no room for it.
 * @param removedBefore the time before which its readings of a metric were removed, where the message is older; null: none were.
 */
export function judgeFields(
  message: DecodedMessage,
  isMetric: (name: string) => boolean,
  removedBefore: ((name: string) => EpochMs | null) | null = null,
): JudgedFields {
  if (isPlain(message) && removedBefore === null && message.values.every(([field]) => isMetric(field)))
    return { readings: message.values, texts: [], refused: [] };
  const readings: (readonly [string, ReadingValue])[] = [];
  const texts: (readonly [string, string])[] = [];
  const refused: RefusedField[] = [];
  // A field's number is its place in refused, values, texts and labels, counted one after the other.
  let number = 0;
  for (const { field, value, reason, detail } of message.refused)
    refused.push({ field, value, reason, detail, number: number++ });
  for (const entry of message.values) {
    const [field, value] = entry;
    const edge = removedBefore?.(field) ?? null;
    if (!isMetric(field)) refused.push({ field, value, number, ...noRoom(field) });
    else if (edge !== null) refused.push({ field, value, number, ...gone(field, edge) });
    else readings.push(entry);
    number++;
  }
  for (const entry of message.texts) {
    const [field, text] = entry;
    if (isMetric(field)) refused.push({ field, value: text, number, ...drift(field) });
    else texts.push(entry);
    number++;
  }
  for (const label of message.refusedLabels) refused.push({ ...label, number: number++ });
  return { readings, texts, refused };
}

function isPlain({ texts, refused, refusedLabels }: DecodedMessage): boolean {
  return texts.length + refused.length + refusedLabels.length === 0;
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

function noRoom(field: string): Refusal {
  return { reason: "tooManyMetrics", detail: `there is no room for another metric: ${field}` };
}

function gone(name: string, edge: EpochMs): Refusal {
  return { reason: "seriesTooOld", detail: `${name} of before ${new Date(edge).toISOString()} was removed by a rule` };
}
