import type { Document } from "mongodb";
import type { DeadLetterStatus } from "@/server/ports/dead-letters";

/**
 * The fields written by versions that called a resend a replay. Their documents are read as they are, and a change writes today's
 * words beside these; so a process of such a version may go on writing until it is stopped.
 */
export interface OlderWords {
  readonly replayOf?: string | null;
  readonly replayedAs?: string | null;
  readonly replays?: number | null;
}

type OlderStatus = keyof typeof TODAY;
/** A status as a document may have it: open ones of long ago have none. */
export type StoredStatus = DeadLetterStatus | OlderStatus | null;

const TODAY = { replaying: "resending", replayed: "resent" } as const;
const STORED: Readonly<Record<DeadLetterStatus, readonly StoredStatus[]>> = {
  open: ["open", null],
  resending: ["resending", "replaying"],
  resent: ["resent", "replayed"],
  discarded: ["discarded"],
};

/** Lists all that documents may have for these statuses, for use with `$in`. */
export function storedStatuses(statuses: readonly DeadLetterStatus[]): StoredStatus[] {
  return statuses.flatMap((status) => STORED[status]);
}

/** Translates a document's status into today's. */
export function statusOf(stored: StoredStatus | undefined): DeadLetterStatus {
  if (stored === "replaying" || stored === "replayed") return TODAY[stored];
  return stored ?? "open";
}

/** Reads how often a letter was sent again. It only grows, so of both words the larger count is the later one. */
export function resendsOf({ resends, replays }: OlderWords & { readonly resends?: number | null }): number {
  return Math.max(resends ?? 0, replays ?? 0);
}

/** The same as an expression of an aggregation. */
export const RESENDS: Document = { $max: ["$resends", "$replays", 0] };

/** Writes the condition for letters that were sent again this many times. */
export function sentAgain(times: number): Document {
  const later = { $gt: times };
  return {
    $nor: [{ resends: later }, { replays: later }],
    ...(times > 0 && { $or: [{ resends: times }, { replays: times }] }),
  };
}

/** Expression of an aggregation for the letter that a letter became; null for none. */
export const RESENT_AS: Document = { $ifNull: ["$resentAs", { $ifNull: ["$replayedAs", null] }] };
