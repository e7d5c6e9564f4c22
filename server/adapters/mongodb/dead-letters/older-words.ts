import type { Document } from "mongodb";
import type { DeadLetterStatus } from "@/server/ports/dead-letters";

/**
 * What versions wrote for which "replay" was also the sending again of a dead letter. Their documents are read as they
 * are: a change writes the words of today beside these, which then count no more.
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

/** Expressions of an aggregation: how often a letter was sent again, and whether it became another one. */
export const RESENDS: Document = { $ifNull: ["$resends", { $ifNull: ["$replays", 0] }] };
export const RESENT_AS: Document = { $ifNull: ["$resentAs", { $ifNull: ["$replayedAs", null] }] };

/** Letters sent again so often. Those from before there were resends were never sent. */
export function sentAgain(times: number): Document {
  return { $or: [{ resends: times }, { resends: null, replays: times === 0 ? { $in: [0, null] } : times }] };
}
