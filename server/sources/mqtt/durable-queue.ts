import { setImmediate } from "node:timers/promises";
import { createBackoff, pause } from "@/server/async/backoff";
import type { EpochMs } from "@/server/domain/terms";
import type { TraceParent } from "@/server/observability/trace-context";

/** What somebody published. */
export interface Published {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** True for what a broker or sender had kept: it may be of any age. */
  readonly retained: boolean;
  /** MQTT 5's, or null. */
  readonly contentType: string | null;
  /** The step of its sender's trace that MQTT 5's user property `traceparent` names. */
  readonly sender?: TraceParent;
  readonly arrived: EpochMs;
}

/** One message on its way to the log, and who waits for its acknowledgement. */
interface Held {
  readonly published: Published;
  /** Called when the log holds it. */
  readonly settle: () => void;
}

export interface DurableQueue {
  push(held: Held): void;
  /** The number of messages whose batch isn't durable yet. */
  size(): number;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
}

/** Bounds of one batch. */
const MOST_MESSAGES = 2000;
const MOST_BYTES = 4 * 1024 * 1024;

/** Bytes that a message takes while it is held, roughly. */
export function weightOf({ topic, payload }: Pick<Published, "topic" | "payload">): number {
  return payload.byteLength + topic.length + 400;
}

/**
 * Brings messages to the log in their order: all that arrived in one turn go together, one batch at a time. A batch that fails is held and
 * tried again until it is durable: its senders hear nothing of it.
 * @param options.publish resolves once the log holds all of them.
 * @param options.settled called after each batch, when all of it was settled.
 * @param options.onTrouble called with each failure.
 * @param options.signal ends the trying again; what is held then is not settled.
 */
export function createDurableQueue(options: {
  publish: (batch: readonly Published[]) => Promise<void>;
  settled: () => void;
  onTrouble: (error: unknown) => void;
  signal: AbortSignal;
}): DurableQueue {
  const { publish, settled, onTrouble, signal } = options;
  let waiting: Held[] = [];
  let working: Promise<void> | null = null;
  let size = 0;

  async function work(): Promise<void> {
    await setImmediate();
    while (waiting.length > 0 && !signal.aborted) {
      const batch = take();
      if (!(await untilDurable(batch.map(({ published }) => published)))) break;
      size -= batch.length;
      for (const { settle } of batch) settle();
      settled();
    }
    working = null;
  }

  async function untilDurable(batch: readonly Published[]): Promise<boolean> {
    const backoff = createBackoff({ firstMs: 100, maxMs: 2000 });
    for (;;) {
      try {
        await publish(batch);
        return true;
      } catch (error) {
        onTrouble(error);
      }
      if (!signal.aborted) await pause(backoff.next(), signal);
      if (signal.aborted) return false;
    }
  }

  function take(): readonly Held[] {
    let count = 0;
    let bytes = 0;
    while (count < waiting.length && count < MOST_MESSAGES) {
      bytes += weightOf(waiting[count]!.published);
      if (count > 0 && bytes > MOST_BYTES) break;
      count += 1;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return batch;
  }

  return {
    push(held) {
      waiting.push(held);
      size += 1;
      working ??= work();
    },
    size: () => size,
    async idle() {
      while (working !== null) await working;
    },
  };
}
