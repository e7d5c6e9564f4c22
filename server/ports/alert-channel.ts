import type { AlertMessage } from "@/server/domain/notifications/message";
import type { EpochMs } from "@/server/domain/terms";

/**
 * Somewhere people or programs are told of alerts. Adapters: one file a kind in server/adapters/channels, each with the contract suite
 * server/testing/alert-channel.contract.ts. Who calls: the notifier renders a message once and sends what it kept, as often as it takes;
 * the test button does both at once.
 */
export interface AlertChannel {
  /** What is sent, without any secret: it is kept, and sent again as it is. Never fails: what is too long is shortened. */
  render(message: AlertMessage): string;
  /** Sends what was rendered. Never throws: every failure is an outcome, and none has a secret in its words. */
  send(rendered: string, delivery: Delivery): Promise<SendOutcome>;
  /** Lets go of connections. */
  close(): void;
}

/** One attempt. */
export interface Delivery {
  /** Of the message: the same at every attempt. */
  readonly id: string;
  /** Of this attempt. */
  readonly at: EpochMs;
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** The answer of the other side, or what was in its place, for people. */
interface ChannelAnswer {
  /** Of HTTP or SMTP; null when none came. */
  readonly status: number | null;
  readonly text: string;
}

/** sent: the other side has taken it. retry: it may take it later, not before `afterMs` if it said so. failed: never as it is. */
export type SendOutcome =
  | { readonly outcome: "sent"; readonly answer: ChannelAnswer }
  | { readonly outcome: "retry"; readonly answer: ChannelAnswer; readonly afterMs: number | null }
  | { readonly outcome: "failed"; readonly answer: ChannelAnswer };
