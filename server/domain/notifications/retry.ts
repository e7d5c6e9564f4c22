import type { EpochMs } from "@/server/domain/terms";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits after the first, second … attempt that failed for now; then each hour. */
const WAITS_MS: readonly number[] = [5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE];
/** A message that could not be sent for so long is given up. */
export const GIVE_UP_MS = 24 * HOUR;
/**
 * The wait before the next attempt, in milliseconds.
 * @param failures how often it failed in a row, 1 or more. @param askedMs what the other side asked for: it is obeyed.
 */
export function waitAfter(failures: number, askedMs: number | null, random: () => number): number {
  if (askedMs !== null) return Math.min(askedMs, GIVE_UP_MS);
  const wait = WAITS_MS[failures - 1] ?? HOUR;
  return Math.round(wait * (0.8 + 0.4 * random()));
}

/** What the header Retry-After asks for, in milliseconds: seconds, or a date. Null without one that can be read. */
export function retryAfterMs(header: string | undefined, now: EpochMs): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * SECOND);
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
