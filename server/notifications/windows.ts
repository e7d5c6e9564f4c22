import { Cron } from "croner";
import type { EpochMs } from "@/server/domain/terms";

/** When a window comes again: a cron expression in a zone, and how long each lasts. */
export interface Recurrence {
  readonly cron: string;
  readonly minutes: number;
  readonly zone: string;
}

/** Why a recurrence can't be one, as the end of a sentence about it; null when it can. */
export function recurrenceProblem({ cron, minutes, zone }: Recurrence): string | null {
  if (cron.trim().split(/\s+/).length !== 5) return "must have five fields: minute, hour, day, month, day of the week";
  try {
    const [first, second] = new Cron(cron, { timezone: zone, paused: true }).nextRuns(2);
    if (first === undefined) return "never comes";
    const apart = second === undefined ? Infinity : second.getTime() - first.getTime();
    return apart < minutes * 60_000 ? "comes again before its window is over" : null;
  } catch (error) {
    return `can't be read: ${(error as Error).message}`;
  }
}

/** Windows of a recurrence that touch [from, to), in order; at most `most`. */
export function windowsBetween(
  { cron, minutes, zone }: Recurrence,
  from: EpochMs,
  to: EpochMs,
  most = 1000,
): { readonly from: EpochMs; readonly to: EpochMs }[] {
  const lasts = minutes * 60_000;
  const job = new Cron(cron, { timezone: zone, paused: true });
  const found: { from: EpochMs; to: EpochMs }[] = [];
  // One that began a moment after `from - lasts` still goes on at `from`.
  let at = job.nextRun(new Date(from - lasts));
  while (at !== null && at.getTime() < to && found.length < most) {
    const start = at.getTime();
    if (start + lasts > from) found.push({ from: start, to: start + lasts });
    at = job.nextRun(at);
  }
  return found;
}

/** The window that is open at `now`, with its end; null when none is. */
export function openWindow(
  recurrence: Recurrence,
  now: EpochMs,
): { readonly from: EpochMs; readonly to: EpochMs } | null {
  return windowsBetween(recurrence, now, now + 1).at(-1) ?? null;
}

/** The next windows that haven't begun. */
export function nextWindows(
  { cron, minutes, zone }: Recurrence,
  now: EpochMs,
  count: number,
): { readonly from: EpochMs; readonly to: EpochMs }[] {
  const starts = new Cron(cron, { timezone: zone, paused: true }).nextRuns(count, new Date(now));
  return starts.map((start) => ({ from: start.getTime(), to: start.getTime() + minutes * 60_000 }));
}
