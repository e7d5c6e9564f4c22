import type { EpochMs } from "@/server/domain/terms";
import { onceAtATime } from "@/server/observability/once-at-a-time";

/** A function that does its work at most every `ms`, and gives the latest answer in between. A failure is not kept. */
export function keptFor<T>(ms: number, now: () => EpochMs, work: () => Promise<T>): () => Promise<T> {
  let kept: { readonly value: T; readonly at: EpochMs } | undefined;
  const renew = onceAtATime(async () => {
    kept = undefined;
    const value = await work();
    kept = { value, at: now() };
    return value;
  });
  return async () => (kept !== undefined && now() - kept.at < ms ? kept.value : renew());
}
