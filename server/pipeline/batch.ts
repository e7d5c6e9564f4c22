import type { PipelinePosition } from "./positions";
import type { CommitBatch, EnrichedMessage, Received, Sample } from "@/server/ports/commit-batch";
import type { BatchTotals } from "./positions";
import type { RecordFrom } from "@/server/domain/from-mark";
import type { EpochMs, MessagePosition } from "@/server/domain/terms";
import { logOf } from "./positions";
import type { DeadLetter, DeadLetterChange } from "@/server/ports/dead-letters";
import type { StoredRecord } from "@/server/ports/event-log";

/** Records of one partition on their way through the pipeline; each stage returns the batch with what it found out. */
export interface SourceBatch {
  /** The position at which the batch begins; the transaction fails if another worker has moved it. */
  readonly position: PipelinePosition;
  /** The offset at which the log goes on: after the last record, and after anything empty that follows it. */
  readonly to: number;
  /** The term in which the last record before `to` was written; null where that isn't known. */
  readonly term: number | null;
  /** Offsets before the first record that expired unread. */
  readonly skipped: number;
  readonly records: readonly StoredRecord[];
  readonly processedTime: EpochMs;
  /** Present when the batch holds messages that are followed. */
  readonly followed?: FollowedBatch;
  /** Messages of erased devices that were dropped, by erasure; left out: there are none. */
  readonly erased?: ReadonlyMap<number, number>;
  /** How far its records have come in logs of others, by lane; none are from there if left out. */
  readonly takenFrom?: readonly TakenFrom[];
}

/** The latest record of a lane of a log of others, and how many of this batch came again. */
export interface TakenFrom extends RecordFrom {
  /** The source's name. */
  readonly source: string;
  readonly repeats: number;
}

/** Follows the messages of a batch that were sent to be followed. Never throws, never waits. */
export interface FollowedBatch {
  begins(stage: string): void;
  ends(stage: string): void;
  /** Tells that the batch failed and has to come again. */
  failed(error: unknown): void;
  /** Tells that the whole batch is stored. @param sent resolves to true when its frame was sent, to false when it was lost. */
  committed(committed: Committed, sent: Promise<boolean>): void;
}

export interface DecodedBatch extends SourceBatch {
  readonly received: readonly Received[];
  /** Refused messages, whole. */
  readonly letters: readonly DeadLetter[];
}

export interface EnrichedBatch extends SourceBatch {
  /** The epoch of the catalog that its devices and metrics come from; null where it has none. */
  readonly epoch: number | null;
  readonly messages: readonly EnrichedMessage[];
  /** The names of metrics by others under which they are sent; left out: none has any. */
  readonly aliases?: ReadonlyMap<string, string>;
  /** Refused messages and refused fields. */
  readonly letters: readonly DeadLetter[];
}

/** An enriched batch, with the outcome of each resent dead letter in it. */
export interface SettlingBatch extends EnrichedBatch {
  readonly settlements: readonly DeadLetterChange[];
}

/** One partition's batch in its transaction, with its place in the log. */
export interface PipelineCommit
  extends Omit<CommitBatch, "mark" | "rulesEpoch">, SourceBatch, Pick<SettlingBatch, "settlements"> {}

/** Batches have a device in common, so that what one writes depends on another: they can't be written as one. */
class SharedDeviceError extends Error {
  override readonly name = "SharedDeviceError";
}

/**
 * Views batches of several partitions as one, for those who write what all of them hold.
 * @throws SharedDeviceError
 */
export function jointOf(batches: readonly EnrichedBatch[]): Pick<CommitBatch, "records" | "messages" | "letters"> {
  const [first] = batches;
  if (batches.length === 1 && first) return first;
  const devices = new Set<number>();
  for (const { messages } of batches) {
    const own = new Set(messages.map(({ deviceId }) => deviceId));
    for (const device of own) {
      if (devices.has(device)) throw new SharedDeviceError("two partitions have messages of one device");
      devices.add(device);
    }
  }
  return {
    records: batches.flatMap(({ records }) => records),
    messages: batches.flatMap(({ messages }) => messages),
    letters: batches.flatMap(({ letters }) => letters),
  };
}

/** Tells each batch's part of what was written of all of them; they have no device in common. */
export function partsOf(
  batches: readonly SettlingBatch[],
  { devices: histories, written }: Pick<CommitBatch, "devices" | "written">,
): PipelineCommit[] {
  const [first] = batches;
  if (batches.length === 1 && first) return [{ ...first, devices: histories, written }];
  return batches.map((batch) => {
    const devices = new Set<number>();
    let readings = 0;
    for (const { deviceId, metrics } of batch.messages) {
      devices.add(deviceId);
      readings += metrics.length;
    }
    const added = written.added.filter(({ deviceId }) => devices.has(deviceId));
    const conflicts = written.conflicts.filter(({ deviceId }) => devices.has(deviceId));
    let fresh = 0;
    let late = 0;
    for (const { deviceId, time, metrics } of added) {
      fresh += metrics.length;
      if (time < (histories.get(deviceId)?.latest ?? -1)) late += metrics.length;
    }
    // A reading is new, a repeat or a conflict.
    const duplicates = readings - fresh - conflicts.length;
    return { ...batch, devices: histories, written: { added, conflicts, duplicates, late } };
  });
}

/** Counts what a batch adds to the totals of its partition, as far as its contributors have reported. */
export function totalsOf({ skipped, records, letters, written }: PipelineCommit): BatchTotals {
  return {
    messages: records.length,
    readings: written.added.reduce((sum, sample) => sum + sample.metrics.length, 0),
    duplicates: written.duplicates,
    conflicts: written.conflicts.length,
    deadLetters: letters.length,
    late: written.late,
    skipped,
  };
}

/** The changes a batch made, once they are committed. */
export interface Committed {
  readonly messages: readonly EnrichedMessage[];
  /** New readings only. */
  readonly added: readonly Sample[];
  readonly totals: BatchTotals;
  /** Whether browsers watch readings as they come. */
  readonly isWatched: boolean;
}

/** Tells the position of a record of a batch. */
export function positionOf(batch: SourceBatch, record: StoredRecord): MessagePosition {
  return { log: logOf(batch.position), partition: batch.position.partition, offset: record.offset };
}

/** True if the batch was given up for no fault of its own: the partition is another worker's, or this one is stopping. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof FencedError || (error instanceof Error && error.name === "AbortError");
}

/** Another worker has moved the position: this worker has lost the partition, and its batch fails whole. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}
