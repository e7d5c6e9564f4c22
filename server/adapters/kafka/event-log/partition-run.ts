import { createBackoff } from "@/server/async/backoff";
import type { Batch } from "kafkajs";
import { createSignal } from "@/server/async/signal";
import type { Semaphore } from "@/server/async/semaphore";
import { type PartitionBounds, type Subscription, UnreadableBatchError } from "@/server/ports/event-log";
import { createFetched } from "./fetched";

const BACKOFF = { firstMs: 250, maxMs: 5000 };

/** One owned partition being consumed: fetched records come in, batches go out. */
export interface PartitionRun {
  readonly partition: number;
  /** Takes what was fetched. False when it doesn't want it: then it will be fetched again from where it says. */
  offer(batch: Batch): boolean;
  /** Ends after the batch in hand. */
  finish(): void;
  /** Ends, aborting the batch in hand. */
  abort(): void;
  /** The partition is somebody else's by now: like abort, and nothing is committed any more. */
  lose(): void;
  readonly lost: boolean;
  /** Resolves when nothing is in hand any more and nothing will be. */
  readonly done: Promise<void>;
}

/** What a partition does with the consumer it is fetched by. */
export interface Source {
  seek(partition: number, offset: number): void;
  pause(partition: number): void;
  resume(partition: number): void;
}

interface RunDeps {
  readonly topic: string;
  readonly partition: number;
  readonly subscription: Subscription;
  readonly semaphore: Semaphore;
  readonly source: Source;
  /** Resolves when an earlier run of this partition has ended. */
  readonly after: Promise<void>;
  /** Where to begin. */
  readonly start: () => Promise<{ next: number; bounds: PartitionBounds }>;
  readonly commit: (next: number) => Promise<void>;
  /** How many largest batches may wait here before fetching pauses. */
  readonly ahead: () => number;
  readonly onError: (error: unknown) => void;
  readonly onSuccess: () => void;
}

/** Starts to consume a partition, whose fetching must be paused. Never throws: errors are told, waited out and retried. */
export function startPartitionRun(deps: RunDeps): PartitionRun {
  const { topic, partition, subscription, semaphore, source } = deps;
  const { maxRecords, maxBytes } = subscription;
  const finishing = new AbortController();
  const aborted = new AbortController();
  const wake = createSignal(finishing.signal);
  const toFinish = new Promise<undefined>((resolve) =>
    finishing.signal.addEventListener("abort", () => resolve(undefined)),
  );
  const fetched = createFetched();
  /** Offset the next fetch must bring; null while nothing is wanted. */
  let expected: number | null = null;
  let fresh = false;
  let paused = true;
  let moved = false;
  let lost = false;
  const backoff = createBackoff(BACKOFF);

  function isFull(): boolean {
    const ahead = deps.ahead();
    return fetched.records >= maxRecords * ahead || fetched.bytes >= maxBytes * ahead;
  }

  function pause(): void {
    if (!paused) source.pause(partition);
    paused = true;
  }

  function resume(): void {
    if (paused) source.resume(partition);
    paused = false;
  }

  /** Handles batches until the run is to finish, or what is fetched isn't what comes next. */
  async function consume(): Promise<void> {
    // Nothing is in hand yet: who stops needn't wait for the answer.
    const begin = await Promise.race([deps.start(), toFinish]);
    if (begin === undefined || finishing.signal.aborted) return;
    const { next, bounds } = begin;
    expected = next;
    fresh = true;
    moved = false;
    source.seek(partition, next);
    resume();
    while (!finishing.signal.aborted && !moved) {
      const { unreadable, end } = fetched;
      if (fetched.records === 0 && unreadable !== null) {
        // What its header says may be damaged too.
        const to = Math.max(next, Math.min(unreadable.to, end - 1));
        const from = Math.min(Math.max(unreadable.from, next), to);
        const records = Math.min(unreadable.records, to - from + 1);
        throw new UnreadableBatchError(topic, { ...unreadable, partition, from, to, records });
      }
      if (fetched.records === 0) await wake.wait();
      else if (await semaphore.acquire(finishing.signal)) {
        try {
          await handleNext(bounds.cluster);
        } finally {
          semaphore.release();
        }
      }
    }
  }

  async function handleNext(cluster: string): Promise<void> {
    const records = fetched.take(maxRecords, maxBytes);
    const last = records.at(-1);
    if (last === undefined) return;
    if (!isFull() && fetched.unreadable === null && !finishing.signal.aborted && !moved) resume();
    await subscription.onBatch({ cluster, topic, partition, records, end: fetched.end }, aborted.signal);
    if (lost) return;
    await deps.commit(last.offset + 1);
    backoff.reset();
    deps.onSuccess();
  }

  async function run(): Promise<void> {
    await deps.after;
    while (!finishing.signal.aborted) {
      let failure: { error: unknown } | null = null;
      try {
        await consume();
      } catch (error) {
        failure = { error };
      }
      expected = null;
      fetched.clear();
      pause();
      // An abort makes the batch fail; that is no news to anyone.
      if (failure === null || aborted.signal.aborted) continue;
      deps.onError(failure.error);
      await wake.wait(backoff.next());
    }
  }

  const finish = () => {
    finishing.abort();
    wake.raise();
  };
  const abort = () => {
    aborted.abort();
    finish();
  };
  const done = run();

  return {
    partition,
    offer(batch) {
      if (expected === null || moved || finishing.signal.aborted) return false;
      const first = Number(batch.firstOffset() ?? expected);
      // Records expired before they were read, or the topic was made anew: begin again. Right after a beginning a
      // gap is just a gap.
      if (first !== expected && !fresh) {
        moved = true;
        pause();
        wake.raise();
        return false;
      }
      fresh = false;
      fetched.add(batch);
      expected = Number(batch.lastOffset()) + 1;
      if (isFull() || fetched.unreadable !== null) pause();
      wake.raise();
      return true;
    },
    finish,
    abort,
    lose() {
      lost = true;
      abort();
    },
    get lost() {
      return lost;
    },
    done,
  };
}
