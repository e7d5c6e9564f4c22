/**
 * SQL: a device was heard so lately that it isn't older than `times` the age at which it is stale, its type's or else that of any device.
 * @param device alias of the table. @param now SQL of the moment. @param seconds SQL of the age of any device
 */
export function seenWithin(device: string, now: string, seconds: string, times: number): string {
  return `${device}.last_seen > ${now}::timestamptz - interval '1 second' * (${times} * coalesce(${device}.stale_seconds, ${seconds}::integer))`;
}
