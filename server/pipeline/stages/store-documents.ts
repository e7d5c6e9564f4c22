import { readingAt, type Shape } from "@/server/domain/message";
import { type EpochMs, TWIN_LIMITS } from "@/server/domain/terms";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { DeviceTwins, TwinUpdate, TwinValue } from "@/server/ports/device-twins";
import type { IncomingMessage, MessageArchive } from "@/server/ports/message-archive";
import type { EnrichedMessage } from "@/server/ports/commit-batch";
import { type EnrichedBatch, jointOf } from "../batch";
import { logOf } from "../positions";

export interface DocumentStores {
  readonly archive: Pick<MessageArchive, "store">;
  readonly twins: Pick<DeviceTwins, "merge">;
  readonly deadLetters: Pick<DeadLetters, "store">;
  /** Takes out of the twins of a batch's devices what can't be theirs. */
  readonly forgetLeftOver: (batch: EnrichedBatch) => Promise<void>;
}

/**
 * Stores the messages, dead letters and twins of batches. Each store takes the same again without a change, so this may be
 * repeated.
 * @throws SharedDeviceError
 */
export function createStoreDocuments({ archive, twins, deadLetters, forgetLeftOver }: DocumentStores) {
  return async (batches: readonly EnrichedBatch[]): Promise<void> => {
    for (const batch of batches) await forgetLeftOver(batch);
    const { messages, letters } = jointOf(batches);
    const archiving = () =>
      batches.flatMap((batch) => {
        const log = logOf(batch.position);
        return batch.messages.map((message) => archived(log, batch, message));
      });
    const results = await Promise.allSettled([
      messages.length > 0 ? archive.store(archiving()) : undefined,
      messages.length > 0 ? twins.merge(newest(messages)) : undefined,
      letters.length > 0 ? deadLetters.store(letters) : undefined,
    ]);
    // All writes have ended before the batch fails: none goes on behind the next attempt's back.
    for (const result of results) if (result.status === "rejected") throw result.reason;
  };
}

function archived(log: string, batch: EnrichedBatch, { record, message }: EnrichedMessage): IncomingMessage {
  return {
    position: { log, partition: batch.position.partition, offset: record.offset },
    device: message.device,
    eventTime: message.eventTime,
    ingestTime: record.ingestTime,
    processedTime: batch.processedTime,
    body: withoutMark(record.value),
  };
}

/** Leaves out a byte order mark, which is no part of the message's JSON text. */
function withoutMark(bytes: Uint8Array): Uint8Array {
  const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return isMarked ? bytes.subarray(3) : bytes;
}

/** Picks, per device and field, the value with the latest event time; of equal times the first in the log. One of unknown age gives way to any other. */
function newest(messages: readonly EnrichedMessage[]): TwinUpdate[] {
  const byDevice = new Map<string, Newest>();
  // Backwards, as the last message of a device mostly is its newest.
  for (let i = messages.length - 1; i >= 0; i--) {
    const one = messages[i]!;
    const { message, shape, texts } = one;
    const { device, eventTime, state } = message;
    if (shape.names.length + texts.length + (state?.length ?? 0) === 0) continue;
    let own = byDevice.get(device);
    if (!own) byDevice.set(device, (own = { values: new Map(), shape: null, since: 0 }));
    // All of these has a later value already.
    if (own.shape === shape && eventTime < own.since && texts.length === 0 && state === undefined) continue;
    [own.shape, own.since] = [shape, eventTime];
    const { values } = own;
    const keep = (field: string, value: TwinValue["value"]) => {
      const before = values.get(field);
      if (!before || before.isState || eventTime >= before.eventTime) values.set(field, { value, eventTime });
    };
    for (let r = 0; r < shape.names.length; r++) keep(shape.names[r]!, readingAt(one, r));
    for (const [field, text] of texts) keep(field, text);
    for (const [field, text] of state ?? []) {
      const before = values.get(field);
      const value = typeof text === "string" ? text.slice(0, TWIN_LIMITS.textLength) : text;
      if (!before || (before.isState && eventTime >= before.eventTime))
        values.set(field, { value, eventTime, isState: true });
    }
  }
  return [...byDevice].map(([device, { values }]) => ({ device, values }));
}

/** A device's newest values so far: those of `shape` are of `since` or later. */
interface Newest {
  readonly values: Map<string, TwinValue>;
  shape: Shape | null;
  since: EpochMs;
}
