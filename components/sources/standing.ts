import type { SourceCounts, SourceView } from "@/server/contracts/sources";
import { isSilent } from "@/server/domain/source-silence";
import type { Mark } from "../ui/state-mark";

/** How a source stands. */
export type Standing = "receiving" | "refusing" | "cutOff" | "silent" | "waiting" | "disabled";

/** Standings in the words and marks of every page. */
export const STANDINGS: Record<Standing, { readonly mark: Mark; readonly word: string; readonly about: string }> = {
  receiving: { mark: "ok", word: "Receiving", about: "Messages come, and are taken" },
  refusing: { mark: "failing", word: "Refusing", about: "Something of what came last could not be read" },
  cutOff: { mark: "failing", word: "Cut off", about: "Nothing can come in by its door" },
  silent: { mark: "warning", word: "Silent", about: "Nothing has come for far longer than usual" },
  waiting: { mark: "unknown", word: "Waiting", about: "Waits for its first message" },
  disabled: { mark: "stale", word: "Disabled", about: "Takes nothing until it is enabled" },
};

const MINUTE_MS = 60_000;
/** In so long a door is opened that was just set up. */
const OPENS_MS = MINUTE_MS / 4;
/** A refusal counts as long as nothing newer than this came without one. */
const REFUSING_MS = 5 * MINUTE_MS;
type Judged = Pick<SourceView, "enabled" | "updatedAt"> & {
  readonly counts: Pick<SourceCounts, "received" | "firstSeen" | "lastSeen" | "lastError" | "longestPauseMs">;
};

/** How a source stands at `now`, epoch milliseconds. @param trouble of its own door; null while all is well there. */
export function standingOf(
  { enabled, updatedAt, counts }: Judged,
  now: number,
  trouble: string | null = null,
): Standing {
  if (!enabled) return "disabled";
  if (trouble !== null && now - Date.parse(updatedAt) > OPENS_MS) return "cutOff";
  const { received, firstSeen, lastSeen, lastError, longestPauseMs } = counts;
  if (lastSeen === null || firstSeen === null || received === 0) return "waiting";
  const last = Date.parse(lastSeen);
  if (isSilent({ received, firstSeen: Date.parse(firstSeen), lastSeen: last, longestPauseMs }, now)) return "silent";
  const refused = lastError === null ? null : Date.parse(lastError.at);
  // What was refused before the latest change, which may have mended it, isn't held against it.
  if (refused !== null && last - refused < REFUSING_MS && refused > Date.parse(updatedAt)) return "refusing";
  return "receiving";
}

/** What a count was, and when, epoch milliseconds. */
export interface Seen {
  readonly at: number;
  readonly count: number;
}

/** Per second, from the first of what was seen to the last; null where that is too little for a rate. */
export function rateOf(seen: readonly Seen[]): number | null {
  const [first, last] = [seen[0], seen.at(-1)];
  if (!first || !last || last.at - first.at < 2000) return null;
  const came = last.count - first.count;
  const rate = came / ((last.at - first.at) / 1000);
  // Neither a single message nor a few are a rate.
  return came >= 5 && rate >= 0.5 ? rate : null;
}

/** What was refused in all. */
export function refusedOf({ refused }: Pick<SourceCounts, "refused">): number {
  return Object.values(refused).reduce((sum, count) => sum + count, 0);
}
