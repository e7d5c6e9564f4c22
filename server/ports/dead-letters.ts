import type { DeadLetterReason } from "@/server/domain/reasons";
import type { EpochMs, MessagePosition } from "@/server/domain/terms";

/**
 * Keeps what could not become a reading, whole, until it is replayed or discarded. Adapters: postgres (embedded
 * default) and mongodb; each passes server/testing/dead-letters.contract.ts. The worker calls `store`, the routes the rest.
 */
export interface DeadLetters {
  /** Stores dead letters; the same position and field again changes nothing. A failure is an outage: nothing may be committed. */
  store(letters: readonly DeadLetter[]): Promise<void>;
  /** Dead letters, newest ingest time first (then by id, descending). */
  find(query: DeadLetterQuery): Promise<readonly DeadLetter[]>;
  /** Removes those taken by the log before `before`; returns how many. Called by the retention job. */
  removeBefore(before: EpochMs): Promise<number>;
}

export interface DeadLetter {
  /** See {@link deadLetterId}. */
  readonly id: string;
  readonly position: MessagePosition;
  readonly reason: DeadLetterReason;
  /** What exactly was wrong, in words. */
  readonly detail: string;
  /** The device, if it could be read. */
  readonly device: string | null;
  /** The field at fault; null when it is the whole message. */
  readonly field: string | null;
  readonly ingestTime: EpochMs;
  readonly processedTime: EpochMs;
  /**
   * What can be sent again: the message's bytes exactly as received; for a field, a message with that field alone
   * (the whole message is in the archive).
   */
  readonly raw: Uint8Array;
}

export interface DeadLetterQuery {
  readonly limit: number;
  readonly reason?: DeadLetterReason;
  readonly device?: string;
  /** Only those that come after this one in the order of `find`. */
  readonly after?: { readonly ingestTime: EpochMs; readonly id: string };
}

/** The id of a dead letter: its source position, and the place of the refused field in the message (or "m" for all of it). */
export function deadLetterId(position: MessagePosition, field: number | null): string {
  return `${position.log}/${position.partition}/${position.offset}/${field ?? "m"}`;
}
