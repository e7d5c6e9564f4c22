import type { DecodedMessage, ReadingColumns } from "@/server/domain/message";
import type { EpochMs } from "@/server/domain/terms";
import type { DeadLetter } from "./dead-letters";
import type { StoredRecord } from "./event-log";

/** A record whose message could be read. */
export interface Received {
  readonly record: StoredRecord;
  readonly message: DecodedMessage;
}

/** A message of a known device, with its readings under their names and under the ids of their metrics: metrics[i] is that of shape.names[i]. */
export interface EnrichedMessage extends Received, ReadingColumns {
  readonly deviceId: number;
  readonly metrics: readonly number[];
  /** Readings it has of some of `metrics` once more, under another name of theirs; left out: none. */
  readonly again?: Pick<Sample, "metrics" | "values">;
  /** Those of `metrics` whose number no double holds exactly as it was sent. */
  readonly rounded: readonly number[];
  /** Strings without readings, shortened: for the twin and for their history. */
  readonly texts: readonly (readonly [field: string, text: string])[];
}

/** Readings of one device at one event time: values[i] is of metrics[i], a metric at most once; booleans are 0 and 1. */
export interface Sample {
  readonly deviceId: number;
  readonly time: EpochMs;
  readonly metrics: readonly number[];
  readonly values: readonly number[];
}

/** A reading that was refused because another value is stored at its device, metric and event time. */
export interface Conflict {
  readonly deviceId: number;
  readonly metric: number;
  readonly time: EpochMs;
  readonly kept: number;
  readonly refused: number;
}

/** The outcome of a batch's readings. */
export interface WrittenSamples {
  /** Only the readings that are new, metrics ascending, by device and time. */
  readonly added: readonly Sample[];
  /** Readings that were already there with the same value, in the table or earlier in the batch. */
  readonly duplicates: number;
  /** Readings for which another value was already there: that one stays. */
  readonly conflicts: readonly Conflict[];
  /** New readings whose event time is before the latest their device had when the batch came. */
  readonly late: number;
}

/** A device as a batch finds it, its row locked until the commit. */
export interface DeviceHistory {
  /** Last event time; null if it has none. */
  readonly latest: EpochMs | null;
  /** Hours before it are merged and have their rollups; null: none has. */
  readonly rolledUntil: EpochMs | null;
}

/** A device whose row the commit has locked. */
export interface LockedDevice extends DeviceHistory {
  /** Fingerprint of the labels that its last messages with labels said; null: whatever they were. */
  readonly saidLabels: string | null;
  /** The mark of the batch by which alerts of it were judged last; another number if anything else changed what they depend on. */
  readonly judged: number;
}

/**
 * A batch in the one transaction that commits it. Contributors, `(tx, batch) → void`, each write their part of it, in the
 * order the pipeline names them; what one throws rolls all of it back, and the batch comes again.
 */
export interface CommitBatch {
  readonly records: readonly StoredRecord[];
  readonly messages: readonly EnrichedMessage[];
  /** Refused messages and refused fields. */
  readonly letters: readonly DeadLetter[];
  /** Names this try to commit: no other has it. The devices it counts have it as `judged` from then on. */
  readonly mark: number;
  /** The epoch of the alert rules, which holds until the commit. */
  readonly rulesEpoch: number;
  readonly processedTime: EpochMs;
  /** Each device of the batch as it was before it. */
  readonly devices: ReadonlyMap<number, LockedDevice>;
  /** Set by the contributor of the readings; nothing is new before that. */
  written: WrittenSamples;
}
