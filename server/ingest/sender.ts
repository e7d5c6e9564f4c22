import type { Caller, Sites } from "@/server/domain/access";

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
  readonly use: SenderUse;
}

/** What one sender has used up and holds in this process, over all its requests: found once a request, and handed to all who bound it. */
export interface SenderUse {
  /** What it may still send at once, and up to when that was earned, by the monotonic clock in milliseconds; null before its first request. */
  purse: { messages: number; bytes: number; at: number } | null;
  /** Bytes of its bodies that are being read or wait for the log. */
  waitingBytes: number;
}

/** Tells senders apart, whichever door they come to. */
export interface Senders {
  /** @param sites where the caller may send. */
  of(caller: Caller, sites: Sites): Sender;
  /** The sender that all who send to this source are, whichever key they show. */
  ofSource(name: string, siteId: number | null): Sender;
}

/** Bound of memory, some 200 bytes each. A sender that is forgotten begins with all it may use up at once. */
const MOST_SENDERS = 50_000;

/** Where a key's caller, which is remembered from request to request, keeps what was found for it. */
const USE = Symbol("use");

export function createSenders(): Senders {
  const uses = new Map<string, SenderUse>();

  function heldFor(id: string): SenderUse {
    const known = uses.get(id);
    if (known !== undefined) return known;
    if (uses.size >= MOST_SENDERS) uses.delete(uses.keys().next().value!);
    const use = newUse();
    uses.set(id, use);
    return use;
  }

  return {
    of(caller: Caller & { [USE]?: SenderUse }, sites) {
      if (caller.kind === "key") {
        const { keyId: id, device } = caller;
        return { id, device, sites, isLimited: true, use: (caller[USE] ??= heldFor(id)) };
      }
      const id = caller.kind === "user" ? `user ${caller.accountId}` : caller.kind;
      return { id, device: null, sites, isLimited: caller.kind !== "system", use: heldFor(id) };
    },
    ofSource(name, siteId) {
      const id = `source/${name}`;
      return { id, device: null, sites: siteId === null ? "all" : [siteId], isLimited: true, use: heldFor(id) };
    },
  };
}

/** The use of a sender that has sent nothing yet. */
export function newUse(): SenderUse {
  return { purse: null, waitingBytes: 0 };
}
