import type { EpochMs } from "@/server/domain/terms";
import { onceAtATime } from "./once-at-a-time";

/** A function that does its work at most every `ms`, and gives the latest answer in between. A failure is not kept. */
export function keptFor<T>(ms: number, now: () => EpochMs, work: () => Promise<T>): () => Promise<T> {
  let kept: { readonly value: T; readonly at: EpochMs } | undefined;
  const renew = onceAtATime(async () => {
    kept = undefined;
    const value = await work();
    kept = { value, at: now() };
    return value;
  });
  return async () => {
    // A clock that was set back makes it younger than nothing: then it says nothing about its age.
    const age = kept === undefined ? NaN : now() - kept.at;
    return kept !== undefined && age >= 0 && age < ms ? kept.value : renew();
  };
}
