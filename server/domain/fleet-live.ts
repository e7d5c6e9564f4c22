import type { EpochMs } from "./terms";

/** A site's devices that have been heard and said no goodbye. */
export interface SiteLive {
  /** Null: devices without a site. */
  readonly site: string | null;
  readonly known: number;
  readonly live: number;
  /** How many are usually live: learned of the last days, else those heard in the last day. */
  readonly usual: number;
  /** When any of them was heard last. */
  readonly lastSeen: EpochMs;
  /** When half of those that aren't live, though heard in the last day, had fallen silent; null for none. */
  readonly fellAt: EpochMs | null;
}
