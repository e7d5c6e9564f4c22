import { type Backoff, pause } from "@/server/async/backoff";
import type { Refusals, Rejected, Sender } from "./sender";

/** All items of one call are settled: the server has them, or named them as rejected. */
interface Delivered extends Refusals {
  readonly accepted: number;
  /** Items that went out more than once because an answer was lost: the server may have them twice. */
  readonly again: number;
}

/** The server refuses the request itself, so that waiting will not help. */
export class DeliveryRefused extends Error {
  override readonly name = "DeliveryRefused";
  constructor(
    readonly status: number,
    why: string,
  ) {
    super(why);
  }
}

/** The server could not be reached for as long as the caller wanted to wait. */
export class DeliveryGaveUp extends Error {
  override readonly name = "DeliveryGaveUp";
}

/** The caller's signal ended the delivery; what was not acknowledged may or may not have arrived. */
export class DeliveryStopped extends Error {
  override readonly name = "DeliveryStopped";
}

export interface DeliveryOptions {
  readonly sender: Sender;
  readonly backoff: Backoff;
  /** The longest outage that is waited for, in milliseconds; null waits for ever. */
  readonly giveUpAfterMs: number | null;
  /** Ends waiting between attempts at once. */
  readonly stop: AbortSignal;
  /** The signal ends a request under way, too; by default it may finish, since its answer is worth having. */
  readonly cut?: AbortSignal;
  /** Called before each wait, and with null when the server answers again. */
  readonly onWaiting?: (waiting: { readonly why: string; readonly ms: number } | null) => void;
}

export interface Delivery {
  /**
   * Delivers items in order, retrying outages and halving what is too large for one request.
   * @throws DeliveryRefused, DeliveryGaveUp, DeliveryStopped.
   */
  deliver(items: readonly Uint8Array[]): Promise<Delivered>;
}

/** Delivers batches one after the other through one sender. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { sender, backoff, stop, cut, onWaiting } = options;
  let outageSince: number | null = null;

  async function settle(items: readonly Uint8Array[]) {
    let again = 0;
    for (;;) {
      if (stop.aborted) throw new DeliveryStopped("stopped");
      const outcome = await sender.send(items, cut);
      if (outcome.kind !== "later") {
        if (outageSince !== null) onWaiting?.(null);
        outageSince = null;
        backoff.reset();
        return { outcome, again };
      }
      if (outcome.mayBeTaken) again = items.length;
      outageSince ??= Date.now();
      const waited = Date.now() - outageSince;
      if (options.giveUpAfterMs !== null && waited >= options.giveUpAfterMs) throw new DeliveryGaveUp(outcome.why);
      const wanted = backoff.next(outcome.retryAfterMs);
      const ms = options.giveUpAfterMs === null ? wanted : Math.min(wanted, options.giveUpAfterMs - waited);
      if (!stop.aborted) onWaiting?.({ why: outcome.why, ms });
      await pause(ms, stop);
    }
  }

  return {
    async deliver(items) {
      let accepted = 0;
      let again = 0;
      const rejected: Rejected[] = [];
      const more: Record<string, number> = {};
      // Parts still to send, the next one last; a part is a range of `items`.
      const parts: [from: number, to: number][] = items.length > 0 ? [[0, items.length]] : [];
      for (let part = parts.pop(); part; part = parts.pop()) {
        const [from, to] = part;
        const { outcome, again: resent } = await settle(items.slice(from, to));
        again += resent;
        if (outcome.kind === "refused") throw new DeliveryRefused(outcome.status, outcome.why);
        if (outcome.kind === "delivered") {
          accepted += outcome.accepted;
          for (const item of outcome.rejected) rejected.push({ ...item, index: from + item.index });
          for (const [reason, count] of Object.entries(outcome.more)) more[reason] = (more[reason] ?? 0) + count;
        } else if (to - from > 1) {
          const middle = from + Math.ceil((to - from) / 2);
          parts.push([middle, to], [from, middle]);
        } else {
          const reason = outcome.status === 413 ? "tooLarge" : `http${outcome.status}`;
          rejected.push({ index: from, reason, detail: outcome.why });
        }
      }
      return { accepted, rejected, more, again };
    },
  };
}
