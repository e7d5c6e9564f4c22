import { IngestRefusedError } from "./refused";
import type { SenderUse } from "./sender";

/** Bytes that are being read or wait for the log: the bound on what all doors together hold in memory. */
export interface WaitingBytes {
  /** Opens the share of one request of a sender, whose body is about to be read. */
  share(sender: SenderUse): Share;
}

/** The bytes one request holds. */
export interface Share {
  /** Adds to it. @throws IngestRefusedError too-busy when its sender, or all together, would hold too much. */
  take(bytes: number): void;
  /** Lets go of all of it. */
  release(): void;
  /** Says that the body is whole: what it holds from now on waits for the log, not for its sender. */
  received(): void;
  /** Aborts, with the reason, when the share had to give way while its body was being read. */
  readonly gaveWay: AbortSignal;
}

interface Held {
  readonly sender: SenderUse;
  bytes: number;
  receiving: boolean;
  readonly giveWay: (why: IngestRefusedError) => void;
}

/**
 * Holds at most `maxBytes`, and half of it for one sender. Where it would be more, the largest body that is still being read gives
 * way, of the sender with the most: so nobody's half-sent bodies earn another a refusal, and a small one always finds room among them.
 */
export function createWaitingBytes(maxBytes: number): WaitingBytes {
  const all = new Set<Held>();
  let total = 0;

  const add = (held: Held, bytes: number) => {
    held.sender.waitingBytes += bytes;
    held.bytes += bytes;
    total += bytes;
  };
  const releaseAll = (held: Held) => {
    all.delete(held);
    add(held, -held.bytes);
  };

  /** The share that is to be refused: of those still being read, and the one that asks for more, the largest of the sender with the most. */
  function largest(asking: Held, bytes: number, isCandidate: (held: Held) => boolean): Held {
    const extra = (isAsking: boolean) => (isAsking ? bytes : 0);
    const ofSender = ({ sender }: Held) => sender.waitingBytes + extra(sender === asking.sender);
    const own = (held: Held) => held.bytes + extra(held === asking);
    return [...all]
      .filter((held) => held !== asking && held.receiving && held.bytes > 0 && isCandidate(held))
      .reduce((most, held) => ((ofSender(held) - ofSender(most) || own(held) - own(most)) > 0 ? held : most), asking);
  }

  function makeRoom(asking: Held, bytes: number): void {
    for (;;) {
      // A request alone always fits, or one larger than the bound could never be taken.
      const ofOthers = asking.sender.waitingBytes - asking.bytes;
      const isOwnFull = ofOthers > 0 && ofOthers + asking.bytes + bytes > maxBytes / 2;
      if (!isOwnFull && (total === asking.bytes || total + bytes <= maxBytes)) return;
      const loser = largest(asking, bytes, ({ sender }) => !isOwnFull || sender === asking.sender);
      const why = tooBusy(isOwnFull ? "Too many bytes of this sender wait" : "Too many bytes wait");
      if (loser === asking) throw why;
      releaseAll(loser);
      loser.giveWay(why);
    }
  }

  return {
    share(sender) {
      const away = new AbortController();
      const held: Held = { sender, bytes: 0, receiving: true, giveWay: (why) => away.abort(why) };
      return {
        gaveWay: away.signal,
        take(bytes) {
          away.signal.throwIfAborted();
          all.add(held);
          makeRoom(held, bytes);
          add(held, bytes);
        },
        release: () => releaseAll(held),
        received: () => (held.receiving = false),
      };
    },
  };
}

function tooBusy(what: string): IngestRefusedError {
  const detail = `${what} for the event log. Send again after Retry-After seconds.`;
  return new IngestRefusedError("too-busy", detail, { retryAfterSeconds: 1 });
}
