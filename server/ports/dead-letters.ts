import type { Sites } from "@/server/domain/access";
import type { DeadLetterReason } from "@/server/domain/reasons";
import type { RefusedDelivery } from "@/server/domain/source-mark";
import type { EpochMs, MessagePosition } from "@/server/domain/terms";

/**
 * Keeps what could not become a reading, whole, with what was done about it. Adapters: postgres (embedded default) and
 * mongodb; each passes server/testing/dead-letters.contract.ts. The worker calls `store` and settles resends by `change`;
 * routes and jobs call the rest. A failure is an outage.
 */
export interface DeadLetters {
  /** Stores dead letters as open; one that is there already stays as it is, whatever has become of it. */
  store(letters: readonly DeadLetter[]): Promise<void>;
  /** Finds dead letters, newest ingest time first (then by id, descending). */
  find(query: DeadLetterQuery): Promise<readonly KeptDeadLetter[]>;
  /** Counts them by status. */
  count(filter: DeadLetterFilter): Promise<DeadLetterCounts>;
  /** Counts those that each of these jobs changed last, in one go; a job that changed none is left out. */
  countByJob(jobs: readonly string[]): Promise<ReadonlyMap<string, DeadLetterCounts>>;
  /** Groups dead letters by reason, device and field; the largest groups first. */
  groups(query: DeadLetterGroupsQuery): Promise<DeadLetterGroups>;
  /**
   * Moves dead letters from one status to another, each only if it still is as the change says: of several at it, one
   * succeeds. @returns the ids of those that were moved.
   */
  change(changes: readonly DeadLetterChange[]): Promise<ReadonlySet<string>>;
  /**
   * Removes those the log took before `before`, but for those being resent, about `limit` of them; fewer tell that it was
   * all. Called by the retention job.
   */
  removeBefore(before: EpochMs, limit: number): Promise<number>;
  /** Removes those of a device, and those whose device could not be read and whose bytes or words hold its name. @returns how many. */
  erase(device: string): Promise<number>;
  /** Counts the same. */
  countOf(device: string): Promise<number>;
}

/**
 * open: waits for a decision · resending: sent to the event log again, not handled yet · resent: handled again ·
 * discarded: given up, kept until its retention ends.
 */
export const DEAD_LETTER_STATUSES = ["open", "resending", "resent", "discarded"] as const;

export type DeadLetterStatus = (typeof DEAD_LETTER_STATUSES)[number];

/** Something that was done to a dead letter, or came of it. */
export interface DeadLetterEvent {
  readonly time: EpochMs;
  readonly kind: "sent" | "stored" | "refused" | "discarded" | "restored";
  /** The particulars, in words. */
  readonly detail: string;
  /** True if the message was changed before it was sent. */
  readonly edited: boolean;
}

/** The newest events a dead letter keeps. */
export const MOST_EVENTS = 100;

export interface DeadLetter {
  /** See {@link deadLetterId}. */
  readonly id: string;
  readonly position: MessagePosition;
  readonly reason: DeadLetterReason;
  /** The fault itself, in words. */
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
  /** The site its sender speaks for, which wins over the one its message names; null for any. Sent again it is judged with the same. */
  readonly senderSite: string | null;
  /** The source it comes from; null in what earlier versions kept. */
  readonly source: string | null;
  /** What came beside `raw`, where that is a whole delivery as its sender sent it, which the source's mapping reads; null for a message. */
  readonly delivery: RefusedDelivery | null;
  /** The dead letter whose resend became this one. */
  readonly resendOf: string | null;
  /** The number of times it was sent again, including the sendings of those it descends from. Grows with each. */
  readonly resends: number;
  /** Oldest first; begins with that of those it descends from. */
  readonly history: readonly DeadLetterEvent[];
}

/** The fields of a dead letter that comes from no resend. */
export const NEVER_RESENT = { resendOf: null, resends: 0, history: [] } as const;

/** A dead letter with what has become of it. */
export interface KeptDeadLetter extends DeadLetter {
  readonly status: DeadLetterStatus;
  /** The dead letter that its last resend became, when that was refused as a whole. */
  readonly resentAs: string | null;
  /** When its status last changed; null if it never did. */
  readonly changedAt: EpochMs | null;
}

/** A selection of dead letters; a part that is left out means any. */
export interface DeadLetterFilter {
  /**
   * Only of devices that are at one of these now, and of those whose device could not be read the ones of sources that send for one of these now; none
   * whose device isn't in the catalog.
   */
  readonly sites: Sites;
  readonly status?: DeadLetterStatus;
  readonly reason?: DeadLetterReason;
  /** null: the device could not be read. */
  readonly device?: string | null;
  /** null: whole messages. */
  readonly field?: string | null;
  readonly source?: string;
  /** Taken by the log at this moment or before. */
  readonly until?: EpochMs;
  /** Last changed by this job. */
  readonly job?: string;
}

export interface DeadLetterQuery extends DeadLetterFilter {
  readonly limit: number;
  readonly ids?: readonly string[];
  /** Only those that come after this one in the order of `find`. */
  readonly after?: { readonly ingestTime: EpochMs; readonly id: string };
}

/** Counts by status; `refused` are those of `resent` whose resend was refused again. */
export type DeadLetterCounts = Readonly<Record<DeadLetterStatus | "refused", number>>;

/** Dead letters counted by status, and by whether their resend was refused. */
export interface CountedStatus {
  readonly status: DeadLetterStatus;
  readonly refused: boolean;
  readonly count: number;
}

/** The sums of what an adapter counted. */
export function countsOf(counted: readonly CountedStatus[]): DeadLetterCounts {
  const counts = { open: 0, resending: 0, resent: 0, discarded: 0, refused: 0 };
  for (const { status, refused, count } of counted) {
    counts[status] += count;
    if (refused) counts.refused += count;
  }
  return counts;
}

/** The same for each job. */
export function countsByJob(
  counted: readonly (CountedStatus & { readonly job: string })[],
): ReadonlyMap<string, DeadLetterCounts> {
  const jobs = new Map<string, CountedStatus[]>();
  for (const one of counted) jobs.set(one.job, [...(jobs.get(one.job) ?? []), one]);
  return new Map([...jobs].map(([job, its]) => [job, countsOf(its)]));
}

export interface DeadLetterGroupsQuery extends DeadLetterFilter {
  readonly limit: number;
  /** The trend counts what came in since then, in parts of an hour. */
  readonly trendFrom: EpochMs;
}

export interface DeadLetterGroups {
  /** Groups there are. */
  readonly total: number;
  readonly groups: readonly DeadLetterGroup[];
}

export interface DeadLetterGroup {
  readonly reason: DeadLetterReason;
  readonly device: string | null;
  readonly field: string | null;
  readonly count: number;
  /** Sum over its dead letters. */
  readonly resends: number;
  /** Ingest times of the oldest and the newest. */
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs;
  /** The number that came in each hour since `trendFrom`, by the hour's number. */
  readonly trend: ReadonlyMap<number, number>;
  /** The detail of the newest. */
  readonly example: string;
  /** The source of the newest; null where it isn't known. */
  readonly source: string | null;
  /** The version of its mapping that refused the newest; null for what no mapping refused. */
  readonly mappingVersion: number | null;
}

export interface DeadLetterChange {
  readonly id: string;
  readonly from: readonly DeadLetterStatus[];
  /** The number of times it was sent again so far: a later sending makes the change void. */
  readonly resends: number;
  readonly to: DeadLetterStatus;
  readonly event: DeadLetterEvent;
  /** Counts one more sending. */
  readonly sends?: boolean;
  readonly resentAs?: string;
  readonly job?: string;
}

/** The id of a dead letter: its source position, and the place of the refused field in the message (or "m" for all of it). */
export function deadLetterId(position: MessagePosition, field: number | null): string {
  return `${position.log}/${position.partition}/${position.offset}/${field ?? "m"}`;
}
