import { createBackoff } from "@/server/async/backoff";
import type { Pool } from "pg";
import type { Subscription } from "@/server/ports/event-log";
import { withLogErrors } from "../errors";
import { committedOffset, type FetchedRecords, partitionBounds, type Wanted } from "./records";
import { createSignal } from "@/server/async/signal";
import type { Semaphore } from "@/server/async/semaphore";
import type { Topic } from "./topics";

const BACKOFF = { firstMs: 250, maxMs: 10_000 };

/** One partition being consumed, from taking it over until it is let go or lost. */
export interface PartitionRun {
  readonly partition: number;
  /** Tells what the log holds now; wakes the run when there is something to read. */
  see(bounds: { readonly end: number }): void;
  /** Lets the batch in hand finish, then ends. */
  finish(): void;
  /** Aborts the batch in hand, then ends; if it succeeds all the same, it still counts. */
  abort(): void;
  /** The partition belongs to somebody else now: aborts, and commits no more. */
  lose(): void;
  readonly state: "running" | "finishing" | "lost";
  /** True once it has ended and handles nothing any more. */
  readonly ended: boolean;
}

interface RunDeps {
  readonly pool: Pool;
  readonly topic: Topic;
  readonly partition: number;
  readonly subscription: Subscription;
  readonly semaphore: Semaphore;
  /** These go together with those of other partitions at the same moment. */
  readonly fetch: (wanted: Wanted) => Promise<FetchedRecords>;
  readonly commit: (place: { readonly partition: number; readonly next: number }) => Promise<unknown>;
  /** The place of a consumer without a group; it has no committed offsets. */
  readonly positions: Map<number, number>;
  readonly onError: (error: unknown) => void;
  readonly onEnd: () => void;
}

/** Starts to consume a partition. Never throws: errors are told, waited out and retried. */
export function startPartitionRun(deps: RunDeps): PartitionRun {
  const { pool, topic, partition, subscription, semaphore, positions } = deps;
  const { group, startAt, maxRecords } = subscription;
  const finishing = new AbortController();
  const aborted = new AbortController();
  const wake = createSignal(finishing.signal);
  let owned = true;
  let ended = false;
  let end = 0;
  const backoff = createBackoff(BACKOFF);

  const commit = (place: { readonly partition: number; readonly next: number }) =>
    withLogErrors(() => deps.commit(place));

  async function begin(): Promise<number> {
    const bounds = await withLogErrors(() => partitionBounds(pool, topic, partition));
    end = bounds.end;
    let next: number | null;
    if (group === null) next = positions.get(partition) ?? bounds.end;
    else {
      next = (await startAt?.(partition, bounds)) ?? null;
      if (next === null) next = await withLogErrors(() => committedOffset(pool, topic, partition, group));
      // What was handled may be more than was committed here: a batch is given up, or its process ends, just as it is through.
      else if (next >= bounds.start && next <= bounds.end && owned && !aborted.signal.aborted)
        await commit({ partition, next });
    }
    // Past the end is a position of another life of the topic: nothing of this one may be left out.
    return next === null || next < bounds.start || next > bounds.end ? bounds.start : next;
  }

  /** Reads and handles one batch of at most `most` records from `next` on; returns where to go on. */
  async function step(next: number, most: number): Promise<number> {
    const found = await withLogErrors(() => deps.fetch({ partition, next, most }));
    end = found.end;
    const last = found.records.at(-1);
    if (last === undefined) return Math.max(next, found.start);
    if (aborted.signal.aborted) return next;
    const after = last.offset + 1;
    // Offsets have no gaps here: what is missing before the first record has expired.
    const { records, end: endSeen } = found;
    const held = { cluster: topic.cluster, topic: topic.name, partition, term: null, end: endSeen };
    await subscription.onBatch({ ...held, records, from: records[0]!.offset, to: after }, aborted.signal);
    if (group === null) positions.set(partition, after);
    else if (owned) await commit({ partition, next: after });
    backoff.reset();
    return after;
  }

  async function consume(): Promise<void> {
    let next = await begin();
    while (!finishing.signal.aborted) {
      if (end < next) return; // The topic was made anew: begin again.
      const before = next;
      const room = end > next ? await semaphore.acquire(finishing.signal, () => Math.min(end - next, maxRecords)) : 0;
      if (room > 0) {
        try {
          next = await step(next, room);
        } finally {
          semaphore.release(room);
        }
      }
      if (next === before || next >= end) await wake.wait();
    }
  }

  async function run(): Promise<void> {
    while (!finishing.signal.aborted) {
      try {
        await consume();
      } catch (error) {
        // An abort makes the batch fail; that is no news to anyone.
        if (aborted.signal.aborted) return;
        deps.onError(error);
        await wake.wait(backoff.next());
      }
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
  void run().finally(() => {
    ended = true;
    deps.onEnd();
  });

  return {
    partition,
    see(bounds) {
      end = bounds.end;
      wake.raise();
    },
    finish,
    abort,
    lose() {
      owned = false;
      abort();
    },
    get state() {
      if (!owned) return "lost";
      return finishing.signal.aborted ? "finishing" : "running";
    },
    get ended() {
      return ended;
    },
  };
}
