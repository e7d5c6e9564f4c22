import type { Document } from "mongodb";
import type { DeadLetterStatus } from "@/server/ports/dead-letters";

/**
 * What versions wrote that called a resend a replay. Their documents are read as they are, and a change writes today's
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

/** All that documents have for these, for use with `$in`. */
export function storedStatuses(statuses: readonly DeadLetterStatus[]): StoredStatus[] {
  return statuses.flatMap((status) => STORED[status]);
}

/** The status that a document's means. */
export function statusOf(stored: StoredStatus | undefined): DeadLetterStatus {
  if (stored === "replaying" || stored === "replayed") return TODAY[stored];
  return stored ?? "open";
}

/** How often a letter was sent again. It only grows, so of both words the larger count is the later one. */
export function resendsOf({ resends, replays }: OlderWords & { readonly resends?: number | null }): number {
  return Math.max(resends ?? 0, replays ?? 0);
}

/** The same as an expression of an aggregation. */
export const RESENDS: Document = { $max: ["$resends", "$replays", 0] };

/** Letters sent again so often. */
export function sentAgain(times: number): Document {
  const later = { $gt: times };
  return {
    $nor: [{ resends: later }, { replays: later }],
    ...(times > 0 && { $or: [{ resends: times }, { replays: times }] }),
  };
}

/** Whether a letter became another one, as an expression of an aggregation. */
export const RESENT_AS: Document = { $ifNull: ["$resentAs", { $ifNull: ["$replayedAs", null] }] };
