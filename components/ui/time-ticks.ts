import type { EpochMs } from "@/server/domain/terms";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Distances between ticks a person expects. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 7, 14, 30, 60, 90, 180, 365, 730, 1825, 3650].map((n) => n * DAY),
] as const;

/**
 * At most `most` round moments within [from, to]. `offsetMs` is how far the zone's wall clock is ahead of UTC, so that
 * days begin at that zone's midnight.
 */
export function timeTicks(from: EpochMs, to: EpochMs, offsetMs: number, most = 6): EpochMs[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= most - 0.999) ?? (to - from) / 2;
  const ticks: EpochMs[] = [];
  const first = Math.ceil((from + offsetMs) / step) * step - offsetMs;
  for (let time = first; time <= to && ticks.length < most; time += step) ticks.push(time);
  return ticks;
}
