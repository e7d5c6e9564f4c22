import type { DeadLetterReason } from "@/server/domain/reasons";
import type { Received } from "@/server/ports/commit-batch";

/**
 * A message with one field alone, as JSON, which can be sent again. Where writing the value anew would change it
 * (1e999 is read as Infinity), and of a site or type, which are nothing without readings, the message as received instead:
 * its other fields are recognised as repeats.
 */
export function rawField(
  { record, message }: Received,
  field: string,
  value: unknown,
  reason: DeadLetterReason,
): Uint8Array {
  if (reason === "badLabel" || message.rounded.includes(field) || !survivesJson(value)) return record.value;
  const { device, eventTime, id, site, type } = message;
  const time = new Date(eventTime).toISOString();
  const unit = message.units?.get(field);
  const units = unit === undefined ? undefined : { [field]: unit };
  return Buffer.from(JSON.stringify({ device, time, readings: { [field]: value }, units, id, site, type }));
}

/** Walks a value that is at most MESSAGE_LIMITS.depth deep. */
function survivesJson(value: unknown): boolean {
  if (typeof value === "number")
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(survivesJson);
}
