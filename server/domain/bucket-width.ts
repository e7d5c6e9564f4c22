import type { EpochMs } from "@/server/domain/terms";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Widths people can read off an axis, in milliseconds; each divides the day or is a number of days. */
const WIDTHS: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((n) => n * DAY),
];

/**
 * Picks the smallest readable width, a multiple of `base` ms, that covers [from, to) with at most `maxPoints` buckets
 * whose edges are multiples of the width.
 */
export function bucketWidth(from: EpochMs, to: EpochMs, maxPoints: number, base: number): number {
  const fits = (width: number) => Math.ceil(to / width) - Math.floor(from / width) <= maxPoints;
  const readable = WIDTHS.find((width) => width % base === 0 && fits(width));
  if (readable !== undefined) return readable;
  let width = 2000 * DAY;
  while (!fits(width)) width *= 2;
  return width;
}
