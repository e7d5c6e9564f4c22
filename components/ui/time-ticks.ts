import type { EpochMs } from "@/server/domain/terms";
import { wholeDays, wholeSteps } from "./zone-time";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Distances between ticks a person expects. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650, 7300, 18_250, 36_500].map((n) => n * DAY),
] as const;

/** At most `most` moments within [from, to] that are round by the wall clock of a zone (an IANA name), days its own. */
export function timeTicks(from: EpochMs, to: EpochMs, zone: string, most = 6): EpochMs[] {
  for (const step of STEPS) {
    // Fewer than `most` fit as a rule: the labels of days are wide.
    if ((to - from) / step > most - 0.999) continue;
    const ticks = step < DAY ? wholeSteps(from, to, step, zone) : wholeDays(from, to, step / DAY, zone);
    if (ticks.length <= most) return ticks;
  }
  return [];
}
