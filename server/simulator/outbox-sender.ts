import { type Backoff, pause } from "@/server/async/backoff";
import { type Delivery, DeliveryRefused, DeliveryStopped } from "@/server/delivery/delivery";
import type { Logger } from "@/server/observability/logger";
import type { Outbox } from "./outbox";

export interface OutboxSender {
  /** Tells it that the outbox got something. */
  wake(): void;
  /** Counts of what became of messages sent since the start. */
  readonly sent: { readonly accepted: number; readonly rejected: Readonly<Record<string, number>> };
  /** Settles when the stop signal ended the work; rejects if the outbox fails. */
  readonly finished: Promise<void>;
}

/** Messages and bytes of one request. */
const BATCH = { messages: 1000, bytes: 1024 * 1024 };

/**
 * Empties the outbox in order through one delivery, and forgets a block only after the server has settled every
 * message of it. The only one that takes out of the outbox.
 */
export function startOutboxSender(deps: {
  outbox: Outbox;
  delivery: Delivery;
  backoff: Backoff;
  logger: Logger;
  stop: AbortSignal;
}): OutboxSender {
  const { outbox, delivery, backoff, logger, stop } = deps;
  const rejected: Record<string, number> = {};
  let accepted = 0;
  let ring = () => {};
  let woken = false;

  const wake = () => {
    woken = true;
    ring();
  };
  stop.addEventListener("abort", wake, { once: true });

  async function untilWoken(): Promise<void> {
    if (!woken) await new Promise<void>((resolve) => (ring = resolve));
    woken = false;
  }

  async function work(): Promise<void> {
    while (!stop.aborted) {
      const blocks = await outbox.oldest(BATCH.messages, BATCH.bytes);
      if (blocks.length === 0) {
        await untilWoken();
        continue;
      }
      const messages = blocks.flatMap((block) => block.messages);
      try {
        const delivered = await delivery.deliver(messages);
        accepted += delivered.accepted;
        for (const { reason } of delivered.rejected) {
          rejected[reason] = (rejected[reason] ?? 0) + 1;
          logger.debug({ reason }, "message rejected");
        }
        for (const [reason, count] of Object.entries(delivered.more))
          rejected[reason] = (rejected[reason] ?? 0) + count;
        await outbox.remove(blocks);
        backoff.reset();
      } catch (error) {
        if (error instanceof DeliveryStopped) return;
        if (!(error instanceof DeliveryRefused)) throw error;
        // A wrong address or a proxy in between: keep everything, and let a person put it right.
        const ms = backoff.next(null);
        logger.warn(
          { status: error.status, retryInMs: ms },
          `the server refuses the simulator's requests: ${error.message}`,
        );
        await pause(ms, stop);
      }
    }
  }

  return {
    wake,
    get sent() {
      return { accepted, rejected };
    },
    finished: work(),
  };
}
