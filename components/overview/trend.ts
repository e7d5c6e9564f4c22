import type { PipelineAnswer } from "@/server/contracts/pipeline";

/** Width of a bucket of the pipeline's history, in ms. */
export const BUCKET_MS = 5000;

const WINDOW_MS = 15 * 60_000;

/** One step of the last 15 minutes: rates per second, null before there was anything, and latency where something was handled. */
export interface TrendPoint {
  readonly time: number;
  readonly messages: number | null;
  readonly readings: number | null;
  readonly latencyP99Ms: number | null;
}

/**
 * The last 15 minutes as evenly spaced points, oldest first; the bucket that is still filling is left out. A bucket that
 * the history doesn't have is one in which nothing was handled: rates are 0 and there is no latency. Before the first
 * message ever, which is in the history while the history has all there are, nothing was to be handled yet: null.
 */
export function trend({ history, totals }: Pick<PipelineAnswer, "history" | "totals">, now: number): TrendPoint[] {
  const end = Math.floor(now / BUCKET_MS) * BUCKET_MS;
  const counts = history.map(({ messages }) => messages);
  // Totals are read after the history: a bucket's worth may have come in between.
  const isAll = totals.messages - counts.reduce((sum, count) => sum + count, 0) <= Math.max(0, ...counts);
  const began = isAll ? (history[0]?.time ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;
  const buckets = new Map(history.map((bucket) => [bucket.time, bucket]));
  return Array.from({ length: WINDOW_MS / BUCKET_MS }, (_, i): TrendPoint => {
    const time = end - WINDOW_MS + i * BUCKET_MS;
    const bucket = buckets.get(time);
    const rate = (count: number | undefined) => (time < began ? null : ((count ?? 0) * 1000) / BUCKET_MS);
    return {
      time,
      messages: rate(bucket?.messages),
      readings: rate(bucket?.readings),
      latencyP99Ms: bucket?.latencyP99Ms ?? null,
    };
  });
}
