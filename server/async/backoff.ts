import { setTimeout as sleep } from "node:timers/promises";

export interface Backoff {
  /** Milliseconds to wait before the next attempt; never less than `retryAfterMs`, what the other side asked for. */
  next(retryAfterMs?: number | null): number;
  /** Call after a success. */
  reset(): void;
}

/** Waits that double from `firstMs` to `maxMs`, each shortened by up to half at random so that many senders spread out. */
export function createBackoff(options: { firstMs: number; maxMs: number; random?: () => number }): Backoff {
  const { firstMs, maxMs, random = Math.random } = options;
  let ceiling = firstMs;
  return {
    next(retryAfterMs = null) {
      const wait = ceiling * (0.5 + random() / 2);
      ceiling = Math.min(maxMs, ceiling * 2);
      // Added to, not replaced: everyone told "in 1 s" should not come back at the same moment.
      return Math.round(retryAfterMs === null ? wait : retryAfterMs + random() * firstMs);
    },
    reset() {
      ceiling = firstMs;
    },
  };
}

/** Waits `ms`, or until the signal aborts; the caller looks at the signal. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  // An aborted wait rejects; that is what ended the wait, not a failure.
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
}
