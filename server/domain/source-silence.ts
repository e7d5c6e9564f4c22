import type { EpochMs } from "./terms";

const MINUTE_MS = 60_000;
/** A source is silent after twice its longest pause of late or, where that isn't known, five times its mean one, within these bounds. */
const LONGEST_PAUSES = 2;
const MEAN_PAUSES = 5;
const SOONEST_MS = 5 * MINUTE_MS;
const LATEST_MS = 24 * 60 * MINUTE_MS;
/** The fewest deliveries of which a mean pause says something: the first ones are often a person's who tries. */
const FEWEST = 6;

/** What is known of when a source sent. */
export interface Rhythm {
  readonly received: number;
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs;
  /** Longest pause between its last deliveries; null where those are too few. */
  readonly longestPauseMs: number | null;
}

/** How long a source may be quiet, by its own rhythm, before it is silent; milliseconds. */
export function patienceOf({ received, firstSeen, lastSeen, longestPauseMs }: Rhythm): number {
  const mean = received < FEWEST ? LATEST_MS : (lastSeen - firstSeen) / (received - 1);
  const patience = longestPauseMs === null ? MEAN_PAUSES * mean : LONGEST_PAUSES * longestPauseMs;
  return Math.min(LATEST_MS, Math.max(SOONEST_MS, patience));
}

/** True for a source from which nothing has come for far longer than usual. */
export function isSilent(rhythm: Rhythm, now: EpochMs): boolean {
  return now - rhythm.lastSeen > patienceOf(rhythm);
}
