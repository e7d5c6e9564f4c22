import type { EpochMs, MessagePosition } from "@/server/domain/terms";

/**
 * Keeps every good message whole. Adapters: postgres (embedded default) and mongodb; each passes
 * server/testing/message-archive.contract.ts. The worker calls `store`, the messages route `find`.
 */
export interface MessageArchive {
  /** Stores messages; the same position again changes nothing. A failure is an outage: nothing may be committed. */
  store(messages: readonly ArchivedMessage[]): Promise<void>;
  /** A device's messages, newest ingest time first (then highest partition and offset). */
  find(query: MessageQuery): Promise<readonly ArchivedMessage[]>;
  /** Removes messages taken by the log before `before`, about `limit` of them; fewer tell that it was all. Called by the retention job. */
  removeBefore(before: EpochMs, limit: number): Promise<number>;
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

export interface MessageQuery {
  readonly device: string;
  readonly limit: number;
  /** Only messages that come after this one in the order of `find`. */
  readonly after?: { readonly ingestTime: EpochMs; readonly partition: number; readonly offset: number };
}
