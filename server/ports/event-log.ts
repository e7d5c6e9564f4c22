import type { EpochMs } from "@/server/domain/terms";
import type { UnreadableBatch } from "@/server/domain/unreadable";
import { UnavailableError } from "@/server/domain/unavailable";

/**
 * The partitioned log, which can be read again. Adapters: postgres (embedded default) and kafka. Every adapter passes
 * server/testing/event-log.contract.ts. Who calls: the telemetry route (append), the worker (consume), web (describe).
 */
export interface EventLog {
  /**
   * Creates missing topics; called once at start, safe to repeat and to run twice at once. A topic that exists
   * with other partitions, retention or replication is left as it is and reported.
   */
  ensureTopics(topics: readonly TopicSettings[]): Promise<readonly TopicDifference[]>;

  /**
   * Appends records; resolves only once they are durable, in the order given per partition (by hash of the key;
   * records without a key go to one partition picked per call). All or nothing is not promised across partitions:
   * on rejection the caller must assume that any part may be in the log, and send again.
   * @param before the moment from which on the engine isn't given the records: a call that is still waiting is rejected.
   * @throws LogUnavailableError when the log can't be reached or refuses for now.
   */
  append(topic: string, records: readonly LogRecord[], before?: EpochMs): Promise<void>;

  /**
   * Consumes a topic until stopped, surviving outages of the log by retrying with backoff. With a group, each
   * partition has one owner among all consumers of the group, and moves when its owner dies; without one, this
   * consumer reads every partition from the end. Resolves once it is under way.
   */
  consume(subscription: Subscription): Promise<Consumption>;

  /**
   * Describes a topic as it is now, and how far `group` has come. @throws LogUnavailableError when it can't be asked,
   * TopicMissingError when it isn't there.
   */
  describe(topic: string, group: string): Promise<TopicState>;

  /** Waits for what is in flight, then lets go of every connection. */
  close(): Promise<void>;
}

export interface TopicSettings {
  readonly topic: string;
  readonly partitions: number;
  readonly retentionMs: number;
  /** False for records that may be lost in a crash (live frames): their append needn't wait for the disk. */
  readonly durable: boolean;
  /** The number of copies the log keeps; the log's own default if left out. A log of one machine keeps one. */
  readonly replication?: number;
}

/** A setting of an existing topic that is not what was asked for. */
export interface TopicDifference {
  readonly topic: string;
  readonly setting: "partitions" | "retentionMs" | "durable" | "replication" | "timestamps";
  readonly wanted: string;
  readonly found: string;
}

export interface LogRecord {
  /** Decides the partition: same key, same partition, in order. */
  readonly key: string | null;
  readonly value: Uint8Array;
  /** Headers beside the value, as text; none if left out. */
  readonly headers?: RecordHeaders;
}

/** Headers by name; names and values may be any well-formed text. */
export type RecordHeaders = Readonly<Record<string, string>>;

/** The headers of a record that has none. */
export const NO_HEADERS: RecordHeaders = Object.freeze({});

/** A record as it stands in the log. */
export interface StoredRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: Uint8Array;
  /** Empty when there are none. */
  readonly headers: RecordHeaders;
  /** Time when the log took it. */
  readonly ingestTime: EpochMs;
}

export interface Subscription {
  readonly topic: string;
  /** Consumers of one group share the partitions; null reads all of them from the end. */
  readonly group: string | null;
  /**
   * Called when a partition is taken over (and again after a batch failed): where to begin. `bounds` tells what
   * the log holds; null begins at the log's committed offset, or at its start. Ignored without a group.
   */
  readonly startAt?: (partition: number, bounds: PartitionBounds) => Promise<number | null>;
  /**
   * Handles one batch of one partition; batches of one partition never overlap, those of several may. Its records are
   * in offset order, without the ones before the start; there may be none, where a stretch of the log holds nothing to
   * deliver. When it resolves, the batch's `to` is committed to the log. When it throws, nothing is committed and, after a backoff, the partition begins again at `startAt`.
   * It must stop soon once `signal` aborts: the partition was lost or the consumer is stopping.
   */
  readonly onBatch: (batch: LogBatch, signal: AbortSignal) => Promise<void>;
  /** Largest batch; a single larger record still comes alone. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** The number of largest batches handled at once; smaller ones together count as one. */
  readonly concurrency: number;
  /**
   * Where little comes, batches begin together and at least this far apart, in milliseconds; what comes after a rest doesn't
   * wait, nor do a few hundred records. Left out: each begins as soon as there is something.
   */
  readonly paceMs?: number;
  /**
   * Called with every outage and every failed batch, once each. An UnreadableBatchError is a batch that the log holds but that can't be
   * read: after a backoff its partition, and only that, begins again at `startAt`, which passes it or meets it again.
   */
  readonly onError: (error: unknown) => void;
}

export interface PartitionBounds {
  /** {@link LogBatch.cluster} */
  readonly cluster: string;
  /** {@link TopicState.topicId} */
  readonly topicId: string | null;
  /** First offset still held. */
  readonly start: number;
  /** Offset the next record will get. */
  readonly end: number;
  /**
   * Tells the present end of what was written up to the end of a term ({@link LogBatch.term}); null where the log can't tell. Below
   * a position taken in that term, the log has lost its tail from there on. @throws LogUnavailableError
   */
  readonly endOfTerm: (term: number) => Promise<number | null>;
}

export interface LogBatch {
  /** Identity of the cluster, which differs between any two logs. */
  readonly cluster: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly StoredRecord[];
  /**
   * The batch has all that the log holds from here up to before `to`. Where it has no record there is none to deliver:
   * the offset marks the end of a transaction, or its record was aborted or compacted away. Offsets left out before `from` expired.
   */
  readonly from: number;
  readonly to: number;
  /** The term of the partition's leadership in which the last of it was written; null where the log has none, or didn't tell. */
  readonly term: number | null;
  /** End of the partition when the batch was read: it tells the lag after the batch. */
  readonly end: number;
}

export interface Consumption {
  /** Partitions owned now. */
  assigned(): readonly number[];
  /** Lets running batches finish (up to `timeoutMs`, then aborts them), gives up its partitions, and resolves. */
  stop(timeoutMs: number): Promise<void>;
}

export interface TopicState {
  readonly cluster: string;
  readonly topic: string;
  /** Identity of the topic in its cluster, another one when it was made anew; null where the log has none (Kafka before 2.8). */
  readonly topicId: string | null;
  readonly partitions: readonly PartitionState[];
  /** Consumers alive in the group. */
  readonly members: number;
}

export interface PartitionState {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** First offset that may not be read yet, as a transaction is open there; the end where there is none. */
  readonly readableEnd: number;
  /** Offset the group reads next, as the log knows it; null if it never committed. */
  readonly committed: number | null;
  /** Ingest time of the first record at or after `committed`; null if there is none or it isn't known. */
  readonly oldestWaiting: EpochMs | null;
  /** The partition's owner in the group, in words; null if there is none. */
  readonly owner: string | null;
}

/** A batch in the log can't be read, however often it is asked for. */
export class UnreadableBatchError extends Error {
  override readonly name = "UnreadableBatchError";
  constructor(
    readonly topic: string,
    readonly batch: UnreadableBatch,
  ) {
    super(
      `${topic}/${batch.partition} can't be read at ${batch.from} to ${batch.to}: ${batch.reason} ${batch.detail}`.trim(),
    );
  }
}

/** The log can't be reached or refuses for now; sending again later may work. */
export class LogUnavailableError extends UnavailableError {
  override readonly name: string = "LogUnavailableError";
}

/** The log answers, but doesn't have the topic (yet). */
export class TopicMissingError extends LogUnavailableError {
  override readonly name = "TopicMissingError";
  constructor(topic: string) {
    super(`the event log has no topic ${topic}`);
  }
}
