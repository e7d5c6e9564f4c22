import { IngestRefusedError } from "./refused";
import type { SenderUse } from "./sender";

/** The lasting rates of one sender; 0 for no limit. */
export interface PaceLimits {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Holds each sender to its rates, within this process. */
export interface Pace {
  /** @throws IngestRefusedError too-fast, with the seconds to wait, while the sender has used up more than it has earned. */
  check(use: SenderUse): void;
  /** Takes what a request turned out to hold. It may be more than is left: then the sender waits until that is earned. */
  spend(use: SenderUse, used: { readonly messages?: number; readonly bytes?: number }): void;
}

/** What a sender may use up at once, in seconds of its rates: they hold on average, and a burst after silence passes. */
const BURST_SECONDS = 60;
type Purse = NonNullable<SenderUse["purse"]>;

/** @param now a monotonic clock, in milliseconds. */
export function createPace(limits: PaceLimits, now: () => number = () => performance.now()): Pace {
  const messageRate = limits.messagesPerSecond || Infinity;
  const byteRate = limits.bytesPerSecond || Infinity;

  function purseOf(use: SenderUse): Purse {
    return (use.purse ??= { messages: messageRate * BURST_SECONDS, bytes: byteRate * BURST_SECONDS, at: now() });
  }

  function earn(purse: Purse): void {
    const at = now();
    const seconds = (at - purse.at) / 1000;
    purse.messages = Math.min(messageRate * BURST_SECONDS, purse.messages + messageRate * seconds);
    purse.bytes = Math.min(byteRate * BURST_SECONDS, purse.bytes + byteRate * seconds);
    purse.at = at;
  }

  return {
    check(use) {
      const purse = purseOf(use);
      earn(purse);
      const { messages, bytes } = purse;
      if (messages < 0) throw tooFast(`${limits.messagesPerSecond} messages`, -messages / messageRate);
      if (bytes < 0) throw tooFast(`${limits.bytesPerSecond} bytes`, -bytes / byteRate);
    },
    spend(use, { messages = 0, bytes = 0 }) {
      const purse = purseOf(use);
      purse.messages -= messages;
      purse.bytes -= bytes;
    },
  };
}

function tooFast(what: string, seconds: number): IngestRefusedError {
  const detail = `More than ${what} a second came from this sender, on average. Send again after Retry-After seconds.`;
  return new IngestRefusedError("too-fast", detail, { retryAfterSeconds: Math.max(1, Math.ceil(seconds)) });
}
