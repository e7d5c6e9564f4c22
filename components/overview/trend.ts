import type { RateBucket } from "@/server/contracts/pipeline";

/** Width of a bucket of the pipeline's history, in ms. */
export const BUCKET_MS = 5000;

const WINDOW_MS = 15 * 60_000;

/** One step of the last 15 minutes: rates per second, and latency where something was handled. */
export interface TrendPoint {
  readonly time: number;
  readonly messages: number | null;
  readonly readings: number | null;
  readonly deadLetters: number | null;
  readonly latencyP99Ms: number | null;
}

/**
 * The last 15 minutes as evenly spaced points, oldest first, `width` ms each (a multiple of the bucket's).
 * Inside the history a missing bucket means that nothing was handled: rates are 0, latency is unknown. Before its first
 * bucket nothing is known. The newest bucket is still filling and is left out.
 */
export function trend(history: readonly RateBucket[], now: number, width = BUCKET_MS): TrendPoint[] {
  const end = Math.floor(now / BUCKET_MS) * BUCKET_MS;
  const start = Math.floor((end - WINDOW_MS) / width) * width;
  const known = history[0]?.time ?? Number.POSITIVE_INFINITY;
  const sums = new Map<number, { messages: number; readings: number; deadLetters: number; latency: number | null }>();
  for (const bucket of history) {
    if (bucket.time >= end || bucket.time < start) continue;
    const slot = Math.floor(bucket.time / width) * width;
    const sum = sums.get(slot) ?? { messages: 0, readings: 0, deadLetters: 0, latency: null };
    sum.messages += bucket.messages;
    sum.readings += bucket.readings;
    sum.deadLetters += bucket.deadLetters;
    if (bucket.latencyP99Ms !== null) sum.latency = Math.max(sum.latency ?? 0, bucket.latencyP99Ms);
    sums.set(slot, sum);
  }
  const points: TrendPoint[] = [];
  for (let time = start; time + width <= end; time += width) {
    const sum = sums.get(time);
    const rate = (total: number | undefined) => (time + width <= known ? null : ((total ?? 0) * 1000) / width);
    points.push({
      time,
      messages: rate(sum?.messages),
      readings: rate(sum?.readings),
      deadLetters: rate(sum?.deadLetters),
      latencyP99Ms: sum?.latency ?? null,
    });
  }
  return points;
}
