import type { PoolClient } from "pg";
import { isStateOnly } from "@/server/domain/message";
import { readMark } from "@/server/domain/resend-mark";
import type { EpochMs } from "@/server/domain/terms";
import type { CommitBatch, EnrichedMessage } from "@/server/ports/commit-batch";
import { type DeviceActivity, noteActivity, noteConflicts, noteRounded } from "./catalog-writes";

/** Adds up what the batch's devices did. */
export async function addActivity(tx: PoolClient, { messages, devices, mark }: CommitBatch): Promise<void> {
  if (messages.length > 0) await noteActivity(tx, activityOf(messages, devices), mark);
}

/** Counts the batch's conflicts by device. */
export async function addConflicts(tx: PoolClient, { written }: CommitBatch): Promise<void> {
  if (written.conflicts.length > 0) await noteConflicts(tx, written.conflicts);
}

/** Remembers which series have numbers that no double holds as they were sent. */
export async function addRounded(tx: PoolClient, { messages }: CommitBatch): Promise<void> {
  const series: { deviceId: number; metric: number; time: EpochMs }[] = [];
  for (const { deviceId, message, rounded } of messages)
    for (const metric of rounded) series.push({ deviceId, metric, time: message.eventTime });
  if (series.length > 0) await noteRounded(tx, series);
}

function activityOf(messages: readonly EnrichedMessage[], known: CommitBatch["devices"]): DeviceActivity[] {
  const byDevice = new Map<number, { -readonly [K in keyof DeviceActivity]: DeviceActivity[K] }>();
  for (const { deviceId, record, message } of messages) {
    let device = byDevice.get(deviceId);
    if (!device) byDevice.set(deviceId, (device = { id: deviceId, messages: 0, lastSeen: null, lastEventTime: null }));
    device.messages++;
    if (readMark(record.headers) !== null) {
      noteResent(device, message.eventTime, record.ingestTime, known.get(deviceId)?.latest ?? null);
      continue;
    }
    if (message.gone !== undefined) {
      const latest = Math.max(device.lastEventTime ?? 0, known.get(deviceId)?.latest ?? 0);
      // One that is older than what its device said last came late, or again: the device has been there since.
      if (message.gone === "arrived" || message.eventTime >= latest) device.goneAt ??= record.ingestTime;
    }
    if (isStateOnly(message)) continue;
    const gap = device.lastSeen === null ? 0 : record.ingestTime - device.lastSeen;
    device.gapMs = Math.max(device.gapMs ?? 0, gap);
    device.firstSeen ??= record.ingestTime;
    // To delete what isn't there costs as much as the rest of this.
    if (device.goneAt !== undefined) delete device.goneAt;
    device.lastSeen = Math.max(device.lastSeen ?? 0, record.ingestTime);
    device.lastEventTime = Math.max(device.lastEventTime ?? 0, message.eventTime);
  }
  return [...byDevice.values()];
}

/** A dead letter sent again is a person's doing: its device has not been heard, but for one that hasn't been before. */
function noteResent(
  device: { -readonly [K in keyof DeviceActivity]: DeviceActivity[K] },
  eventTime: EpochMs,
  ingestTime: EpochMs,
  latest: EpochMs | null,
): void {
  if (latest === null) device.lastSeen ??= Math.min(eventTime, ingestTime);
  device.lastEventTime = Math.max(device.lastEventTime ?? 0, eventTime);
}
