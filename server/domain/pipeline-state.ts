import type { DeviceStateName } from "./device-state";
import type { EpochMs } from "./terms";
import type { SkippedBatch, StoppingBatch } from "./unreadable";

/** The pipeline as it stands now. Times in epoch milliseconds; null is unknown. */
export interface PipelineState {
  readonly time: EpochMs;
  readonly totals: Totals & {
    readonly late: number;
    readonly skipped: number;
    readonly rejected: number;
    readonly devices: number;
  };
  readonly rates: {
    readonly messagesPerSecond: number;
    readonly readingsPerSecond: number;
    readonly latencyP50Ms: number | null;
    readonly latencyP99Ms: number | null;
  };
  readonly lag: number | null;
  readonly lagSeconds: number | null;
  /** Seconds until nothing waits, at the present pace; null when the lag does not shrink or isn't known. */
  readonly clearSeconds: number | null;
  readonly incomingPerSecond: number | null;
  readonly workers: number | null;
  readonly partitions: PartitionProgress[];
  /** The batches people skipped last, newest first. */
  readonly skippedBatches: readonly SkippedBatch[];
  readonly devices: Record<DeviceStateName, number>;
  readonly history: RateBucket[];
}

export interface Totals {
  readonly messages: number;
  readonly readings: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly deadLetters: number;
}

/**
 * What can happen to the log under a position: its topic was recreated, it lost messages that were handled already
 * (after an unclean election of a leader, say), or messages expired before they were read.
 */
export type LogBreakKind = "recreated" | "lostTail" | "expired";

/** The last break of the log under a partition's position. */
export interface PastBreak {
  readonly kind: LogBreakKind;
  readonly time: EpochMs;
  /** Messages it cost the log; null where that isn't known. */
  readonly offsets: number | null;
}

/** Why the batch after a partition's position failed. */
export interface PartitionWait {
  /** The words of who refused it, without a full stop. */
  readonly reason: string;
  /** What to do; null where that isn't known. */
  readonly fix: string | null;
  /** When a batch there failed first. */
  readonly since: EpochMs;
}

export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  readonly committed: number | null;
  /** Offsets not handled yet, `held` among them. */
  readonly lag: number;
  /** The part of the lag that can't be read yet, because a transaction of a producer is open before it. */
  readonly held: number;
  readonly lagSeconds: number | null;
  readonly clearSeconds: number | null;
  readonly owner: string | null;
  /** The batch that stops it because it can't be read, if there is one. */
  readonly unreadable: StoppingBatch | null;
  readonly lastBreak: PastBreak | null;
  /** Null where the batch after the position hasn't failed, as far as the worker could note it. */
  readonly waiting: PartitionWait | null;
}

interface RateBucket extends Totals {
  readonly time: EpochMs;
  readonly latencyP50Ms: number | null;
  readonly latencyP99Ms: number | null;
}
