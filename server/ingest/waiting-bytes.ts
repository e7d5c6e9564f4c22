import { IngestRefusedError } from "./refused";

/** Bytes that are being read or wait for the log: the bound on what all doors together hold in memory. */
export interface WaitingBytes {
  /** Begins one request, which holds nothing yet. */
  share(): Share;
}

/** The bytes one request holds. */
export interface Share {
  /** Adds to it. @throws IngestRefusedError too-busy when all requests together would hold too much. */
  take(bytes: number): void;
  /** Lets go of all of it. */
  release(): void;
}

export function createWaitingBytes(maxBytes: number): WaitingBytes {
  let total = 0;
  return {
    share() {
      let held = 0;
      return {
        take(bytes) {
          // A request alone always fits, or one larger than the bound could never be taken.
          const others = total - held;
          if (others > 0 && total + bytes > maxBytes) {
            const detail = "Too many bytes wait for the event log. Send again after Retry-After seconds.";
            throw new IngestRefusedError("too-busy", detail, { retryAfterSeconds: 1 });
          }
          total += bytes;
          held += bytes;
        },
        release() {
          total -= held;
          held = 0;
        },
      };
    },
  };
}
