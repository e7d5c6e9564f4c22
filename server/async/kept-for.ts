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

/** The most questions remembered at once; the one not asked for longest is forgotten. */
const MOST_KEYS = 200;

/**
 * Answers questions, each at most every `ms`: whoever asks the same meanwhile shares the answer, or the work that is under
 * way. With 0 ms only that is shared. A failure is not kept.
 * @param work finds the answer as of `now`; questions are the same when their JSON is.
 */
export function keptByKey<Q, T>(
  ms: number,
  work: (question: Q, now: EpochMs) => Promise<T>,
): (question: Q, now: EpochMs) => Promise<T> {
  const kept = new Map<string, { readonly answer: Promise<T>; readonly at: EpochMs; underWay: boolean }>();
  return (question, now) => {
    const key = JSON.stringify(question);
    const before = kept.get(key);
    if (before && (before.underWay || (now >= before.at && now - before.at < ms))) return before.answer;
    kept.delete(key);
    const entry = { answer: work(question, now), at: now, underWay: true };
    kept.set(key, entry);
    if (kept.size > MOST_KEYS) kept.delete(kept.keys().next().value!);
    const forget = () => {
      if (kept.get(key) === entry) kept.delete(key);
    };
    entry.answer.then(() => {
      entry.underWay = false;
      if (ms === 0) forget();
    }, forget);
    return entry.answer;
  };
}
