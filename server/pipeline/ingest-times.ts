import type { EpochMs } from "@/server/domain/terms";
import type { StoredRecord } from "@/server/ports/event-log";

/**
 * Tells of records by when the log took them, those together that follow each other and came at the same moment: all of an append mostly did,
 * so that what is measured of each message costs little.
 */
export function eachIngestTime(
  records: readonly Pick<StoredRecord, "ingestTime" | "value">[],
  tell: (ingestTime: EpochMs, messages: number, bytes: number) => void,
): void {
  let [messages, bytes] = [0, 0];
  for (let i = 0; i < records.length; i++) {
    const { ingestTime, value } = records[i]!;
    messages++;
    bytes += value.byteLength;
    if (records[i + 1]?.ingestTime === ingestTime) continue;
    tell(ingestTime, messages, bytes);
    messages = bytes = 0;
  }
}
