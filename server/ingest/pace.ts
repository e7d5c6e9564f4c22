import { IngestRefusedError } from "./refused";
import type { SenderUse } from "./sender";

/** The lasting rates of one sender; 0 for no limit. */
export interface PaceLimits {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** Holds each sender to its rates, within this process. */
export interface Pace {
  /**
   * @param own rates of its own for this sender, from now on.
   * @throws IngestRefusedError too-fast, with the seconds to wait, while the sender has used up more than it has earned.
   */
  check(use: SenderUse, own?: PaceLimits): void;
  /** Takes what a request turned out to hold. It may be more than is left: then the sender waits until that is earned. */
  spend(use: SenderUse, used: { readonly messages?: number; readonly bytes?: number }): void;
}

/** What a sender may use up at once, in seconds of its rates: they hold on average, and a burst after silence passes. */
const BURST_SECONDS = 60;
type Purse = NonNullable<SenderUse["purse"]>;

/** @param now a monotonic clock, in milliseconds. */
export function createPace(limits: PaceLimits, now: () => number = () => performance.now()): Pace {
  function purseOf(use: SenderUse, own = limits): Purse {
    return (use.purse ??= { messages: full(own.messagesPerSecond), bytes: full(own.bytesPerSecond), at: now() });
  }

  function earn(purse: Purse, { messagesPerSecond, bytesPerSecond }: PaceLimits): void {
    const at = now();
    const seconds = (at - purse.at) / 1000;
    purse.messages = earned(purse.messages, messagesPerSecond, seconds);
    purse.bytes = earned(purse.bytes, bytesPerSecond, seconds);
    purse.at = at;
  }

  return {
    check(use, own = limits) {
      const purse = purseOf(use, own);
      earn(purse, own);
      const { messages, bytes } = purse;
      const { messagesPerSecond, bytesPerSecond } = own;
      if (messages < 0) throw tooFast(`${messagesPerSecond} messages`, -messages / messagesPerSecond);
      if (bytes < 0) throw tooFast(`${bytesPerSecond} bytes`, -bytes / bytesPerSecond);
    },
    spend(use, { messages = 0, bytes = 0 }) {
      const purse = purseOf(use);
      purse.messages -= messages;
      purse.bytes -= bytes;
    },
  };
}

/** What may be used up at once at this rate. */
function full(rate: number): number {
  return (rate || Infinity) * BURST_SECONDS;
}

function earned(left: number, rate: number, seconds: number): number {
  return rate > 0 ? Math.min(full(rate), left + rate * seconds) : Infinity;
}

function tooFast(what: string, seconds: number): IngestRefusedError {
  const detail = `More than ${what} a second came from this sender, on average. Send again after Retry-After seconds.`;
  return new IngestRefusedError("too-fast", detail, { retryAfterSeconds: Math.max(1, Math.ceil(seconds)) });
}
