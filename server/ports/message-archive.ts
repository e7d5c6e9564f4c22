import type { EpochMs, MessagePosition } from "@/server/domain/terms";

/**
 * Keeps every good message whole, many packed together as a block. Adapters: postgres (embedded default) and mongodb; each passes
 * server/testing/message-archive.contract.ts. The worker calls `store`, the messages route `find`, jobs the rest.
 */
export interface MessageArchive {
  /** Stores messages; the same position again changes nothing, however the batch is cut. A failure is an outage: nothing may be committed. */
  store(messages: readonly IncomingMessage[]): Promise<void>;
  /** A device's messages, newest ingest time first (then highest partition and offset). */
  find(query: MessageQuery): Promise<readonly ArchivedMessage[]>;
  /**
   * Merges small blocks that have been there a while, drops repeated positions, and packs what earlier versions kept, step by step: killed
   * between or in any two it leaves nothing lost or found twice. Yields the messages dealt with in each. Called by the merge job.
   */
  merge(now: EpochMs): AsyncIterable<number>;
  /**
   * Removes what the log took before `before`, step by step, but for the rest of a block or day with later messages in it. Yields the
   * messages removed in each. Called by the retention job.
   */
  removeBefore(before: EpochMs): AsyncIterable<number>;
  /**
   * Removes every message of a device, step by step; killed in any of them it leaves others' messages whole. Yields the messages removed in
   * each. Called by erasures.
   */
  erase(device: string): AsyncIterable<number>;
  /** Counts a device's messages, also those nobody would find any more. */
  count(device: string): Promise<number>;
}

export interface ArchivedMessage {
  readonly position: MessagePosition;
  readonly device: string;
  readonly eventTime: EpochMs;
  readonly ingestTime: EpochMs;
  readonly processedTime: EpochMs;
  /** The message's JSON text, exactly as received. */
  readonly body: string;
}

/** A message to be stored. */
export interface IncomingMessage extends Omit<ArchivedMessage, "body"> {
  /** Its text, or that in UTF-8. */
  readonly body: string | Uint8Array;
}

export interface MessageQuery {
  readonly device: string;
  readonly limit: number;
  /** Only messages that come after this one in the order of `find`. */
  readonly after?: { readonly ingestTime: EpochMs; readonly partition: number; readonly offset: number };
}
