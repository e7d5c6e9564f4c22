import { createBackoff } from "@/server/async/backoff";
import type { Batch } from "kafkajs";
import { createSignal } from "@/server/async/signal";
import type { Semaphore } from "@/server/async/semaphore";
import { type Subscription, UnreadableBatchError } from "@/server/ports/event-log";
import { ENOUGH_RECORDS, type Pace } from "../../pace";
import { askedOffsetOf } from "../kafkajs";
import type { KafkaBounds } from "./bounds";
import { createFetched } from "./fetched";

const BACKOFF = { firstMs: 250, maxMs: 5000 };
/** More records than a partition of Kafka takes in a millisecond. */
const MOST_TAKEN = 2000;

/** One owned partition being consumed: fetched records come in, batches go out. */
export interface PartitionRun {
  readonly partition: number;
  /** Takes what was fetched. False when it doesn't want it: then it will be fetched again from where it says. */
  offer(batch: Batch): boolean;
  /** The offset it waits for, with nothing in hand; null while it is busy. */
  readonly waitingFor: number | null;
  /** Goes on at `to`, if it still waits for `from`: in between nothing is to be delivered. */
  skip(from: number, to: number): void;
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

/** The part of the fetching consumer that a partition uses. */
export interface Source {
  seek(partition: number, offset: number): void;
  pause(partition: number): void;
  resume(partition: number): void;
}

/** Where a run begins. */
export interface Start {
  readonly next: number;
  readonly bounds: KafkaBounds;
  /**
   * Whether that is committed at once. What was handled may be more than was committed: a batch is given up, or its process ends, just as it
   * is through, and its messages would count as waiting until the next come.
   */
  readonly isToCommit: boolean;
}

interface RunDeps {
  readonly topic: string;
  readonly partition: number;
  readonly subscription: Subscription;
  readonly semaphore: Semaphore;
  readonly pace: Pace;
  readonly source: Source;
  /** Resolves when an earlier run of this partition has ended. */
  readonly after: Promise<void>;
  readonly start: () => Promise<Start>;
  readonly commit: (next: number) => Promise<void>;
  /** The number of largest batches that may wait here before fetching pauses. */
  readonly ahead: () => number;
  readonly onError: (error: unknown) => void;
  readonly onSuccess: () => void;
}

/** Starts to consume a partition, whose fetching must be paused. Never throws: errors are told, waited out and retried. */
export function startPartitionRun(deps: RunDeps): PartitionRun {
  const { topic, partition, subscription, semaphore, pace, source } = deps;
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
  let paused = true;
  let moved = false;
  let lost = false;
  /** When the topic was last known to be the one begun with, by the monotonic clock. */
  let knownAt = -Infinity;
  /** The first offset fetched since, and the time of the last such fetch; null: there was none. */
  let unknown: { from: number; at: number } | null = null;
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

  /**
   * Tells whether what was fetched is of the topic begun with: Kafka says nothing of one that was deleted and made anew between two fetches,
   * and serves the same offsets of that. It must have grown up to there since, so that a long topic is rarely asked about.
   */
  async function isSameTopic({ isCurrent }: KafkaBounds): Promise<boolean> {
    while (unknown !== null && unknown.from < (unknown.at - knownAt) * MOST_TAKEN) {
      const at = performance.now();
      if (!(await isCurrent())) return false;
      knownAt = at;
    }
    unknown = null;
    return true;
  }

  /** Handles batches until the run is to finish, or what is fetched isn't what comes next. */
  async function consume(): Promise<void> {
    // Nothing is in hand yet: a stop needn't wait for the answer.
    const begin = await Promise.race([deps.start(), toFinish]);
    if (begin === undefined || finishing.signal.aborted) return;
    const { next, bounds, isToCommit } = begin;
    if (isToCommit) await deps.commit(next);
    expected = next;
    fetched.begin(next);
    moved = false;
    knownAt = -Infinity;
    unknown = null;
    source.seek(partition, next);
    resume();
    while (!finishing.signal.aborted && !moved) {
      if (!(await isSameTopic(bounds))) return;
      const { unreadable, end } = fetched;
      if (!fetched.waits && unreadable !== null) {
        // The count in its header may be damaged too.
        const to = Math.max(next, Math.min(unreadable.to, end - 1));
        const from = Math.min(Math.max(unreadable.from, next), to);
        const records = Math.min(unreadable.records, to - from + 1);
        throw new UnreadableBatchError(topic, { ...unreadable, partition, from, to, records });
      }
      if (!fetched.waits) {
        await wake.wait();
        continue;
      }
      if (fetched.records < ENOUGH_RECORDS) await pace.begin(finishing.signal);
      // What arrives while it waits for its turn goes along.
      const room = await semaphore.acquire(finishing.signal, () => Math.max(1, Math.min(fetched.records, maxRecords)));
      if (room === 0) continue;
      try {
        if (fetched.waits && !moved) await handleNext(bounds.cluster, room);
      } finally {
        semaphore.release(room);
      }
    }
  }

  /** @param most the records there is room for. */
  async function handleNext(cluster: string, most: number): Promise<void> {
    const batch = fetched.take(most, maxBytes);
    if (!isFull() && fetched.unreadable === null && !finishing.signal.aborted && !moved) resume();
    await subscription.onBatch({ cluster, topic, partition, ...batch, end: fetched.end }, aborted.signal);
    if (lost) return;
    await deps.commit(batch.to);
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
      fetched.begin(0);
      pause();
      // An abort makes the batch fail; that is no news to anyone.
      if (failure === null || aborted.signal.aborted) continue;
      deps.onError(failure.error);
      await wake.wait(backoff.next());
    }
  }

  function waitingFor(): number | null {
    return fetched.waits || paused || moved || finishing.signal.aborted ? null : expected;
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
      // A gap after what was asked for holds nothing. But asked elsewhere, the log was not where it went on: records
      // expired unread, its tail is lost, or the topic was made anew. Begin again.
      if (askedOffsetOf(batch) !== expected) {
        moved = true;
        pause();
        wake.raise();
        return false;
      }
      unknown = { from: unknown?.from ?? expected, at: performance.now() };
      const before = fetched.records;
      fetched.add(batch);
      pace.note(fetched.records - before);
      expected = Number(batch.lastOffset()) + 1;
      if (isFull() || fetched.unreadable !== null) pause();
      wake.raise();
      return true;
    },
    get waitingFor() {
      return waitingFor();
    },
    skip(from, to) {
      if (waitingFor() !== from || to <= from) return;
      expected = to;
      fetched.passOver(to);
      source.seek(partition, to);
      wake.raise();
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
