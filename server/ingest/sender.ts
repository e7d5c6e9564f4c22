import type { Sites } from "@/server/domain/access";

/** Who sends messages, as far as it decides what becomes of them. */
export interface Sender {
  /** Tells senders apart: what one uses up is no other's. */
  readonly id: string;
  /** The one device it may speak for; null: any. */
  readonly device: string | null;
  /** Where the devices are that it may speak for. */
  readonly sites: Sites;
  /** False for Fieldwatch itself: no limit holds. */
  readonly isLimited: boolean;
}
